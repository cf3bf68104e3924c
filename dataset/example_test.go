package dataset_test

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
)

func Example() {
	train := func(ctx context.Context, spec clip.Spec) error {
		set, err := dataset.Open(dataset.Options{List: "data/train.list", Prefix: "data/videos", Suffix: ".avi", Spec: spec, Classes: 101})
		if err != nil {
			return err
		}
		if missing, n := set.Missing(ctx, 1); n > 0 {
			return fmt.Errorf("%d videos are missing, first %s", n, missing[0].Path)
		}
		loader, err := dataset.NewLoader(set, dataset.LoaderOptions{Batch: 16, Workers: 8, Shuffle: true, DropLast: true})
		if err != nil {
			return err
		}
		for batch, err := range loader.Epoch(ctx, 0, 0) {
			if err != nil {
				return err
			}
			fmt.Println(batch.Views, batch.Labels)
			batch.Release()
		}
		return nil
	}
	_ = train
}
