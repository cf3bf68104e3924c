package checkpoint_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// A run saves after its first epoch; another goes on from there.
func Example() {
	dir, err := os.MkdirTemp("", "output")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	release, err := checkpoint.Lock(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer release()

	c := &checkpoint.Checkpoint{
		Network: checkpoint.Network{
			Params:     []pdparams.Entry{{Name: "head.fc.weight", Tensor: tensor.New(tensor.Float32, 2048, 400)}},
			ParamNames: map[string]string{"head.fc.weight": "linear_0.w_0"},
		},
		State: checkpoint.State{Model: "ppTSN", Epochs: 1, Total: 300, Batches: 300},
	}
	if err := c.AddSlot(checkpoint.Velocity, "head.fc.weight", tensor.New(tensor.Float32, 2048, 400)); err != nil {
		log.Fatal(err)
	}
	if err := checkpoint.Save(dir, checkpoint.EpochName("ppTSN", 1), c); err != nil {
		log.Fatal(err)
	}

	name, _, err := checkpoint.Latest(dir, "ppTSN")
	if err != nil {
		log.Fatal(err)
	}
	c, err = checkpoint.Open(filepath.Join(dir, name))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(name, c.State.Total, c.Optim[0].Name)
	// Output: ppTSN_epoch_00001 300 linear_0.w_0_velocity_0
}
