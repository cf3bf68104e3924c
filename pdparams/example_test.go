package pdparams_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

func Example() {
	w := tensor.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	extra := &pdparams.Dict{}
	extra.Set("epoch", int64(80))
	var file bytes.Buffer
	err := pdparams.Write(&file, []pdparams.Entry{{Name: "head.fc.weight", Tensor: w}}, pdparams.WriteOptions{
		ParameterNames: map[string]string{"head.fc.weight": "linear_0.w_0"},
		Extra:          extra,
	})
	if err != nil {
		log.Fatal(err)
	}

	f, err := pdparams.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			log.Fatal(err)
		}
		param, _ := f.ParameterName(name)
		fmt.Println(name, param, t, t.Float32s())
	}
	epoch, _ := f.Values().Get("epoch")
	fmt.Println("epoch", epoch)
	// Output:
	// head.fc.weight linear_0.w_0 float32 [2, 3] [1 2 3 4 5 6]
	// epoch 80
}
