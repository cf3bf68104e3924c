package tensorboard_test

import (
	"fmt"
	"log"
	"os"

	"github.com/pptsn/pptsn/tensorboard"
)

func Example() {
	dir, err := os.MkdirTemp("", "output")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	w, err := tensorboard.Create(dir) // tensorboard --logdir DIR shows it
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Scalar("train/loss", 1, 5.25); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	events, err := tensorboard.ReadFile(w.Path())
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range events {
		fmt.Println(e.Step, e.FileVersion, e.Scalars)
	}
	// Output:
	// 0 brain.Event:2 []
	// 1  [{train/loss 5.25}]
}
