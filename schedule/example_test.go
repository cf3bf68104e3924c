package schedule_test

import (
	"fmt"

	"github.com/pptsn/pptsn/schedule"
)

func Example() {
	s, err := schedule.New(schedule.LearningRate{Piecewise: &schedule.Piecewise{
		Boundaries: []int{2}, // epochs
		Values:     []float64{0.01, 0.001},
	}}, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.At(0), s.At(199), s.At(200))
	// Output: 0.01 0.01 0.001
}
