package pptsn_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
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

// A folder of videos: outcomes come in order, and one that fails stops no other.
func ExampleModel_ClassifyMany() {
	m, err := pptsn.Open("inference/ppTSN", pptsn.Options{TopK: 1, Preset: pptsn.Fast, Batch: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	files := func(yield func(string, error) bool) {
		names, err := filepath.Glob("videos/*.mp4")
		for _, name := range names {
			if !yield(name, err) {
				return
			}
		}
	}
	for o := range m.ClassifyMany(context.Background(), files, pptsn.Many{Batch: 4}) {
		if o.Err != nil {
			log.Print(o.Err)
			continue
		}
		fmt.Println(o.File, o.Result.Top[0].Name)
	}
}
