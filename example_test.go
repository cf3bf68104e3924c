package pptsn_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/pptsn/pptsn"
)

// One model serves many goroutines: while the network works on one video,
// others are decoded.
func Example() {
	m, err := pptsn.Open("inference/ppTSN", pptsn.Options{TopK: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	var wg sync.WaitGroup
	for _, file := range []string{"archery.avi", "kayaking.mp4"} {
		wg.Go(func() {
			res, err := m.Classify(context.Background(), file)
			if err != nil {
				log.Print(err) // names the file and what is wrong with it
				return
			}
			best := res.Top[0]
			fmt.Printf("%s: %s (class %d, %.1f %%)\n", file, best.Name, best.Index, 100*best.Score)
		})
	}
	wg.Wait()
}
