package torch_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// Tensors of many sizes, made and freed in any order, keep their values: no
// two share memory. What was freed is used again, so little is asked for.
func TestMemoryIsReused(t *testing.T) {
	session := session(t)
	const rounds, alive, most = 600, 12, 1 << 21 // elements: 8 MB
	rng := rand.New(rand.NewPCG(3, 5))
	type held struct {
		t    torch.Tensor
		want float32
		len  int
	}
	before := resident(t)
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		var tensors []held
		for i := range rounds {
			n := 1 + int(float64(most)*rng.Float64()*rng.Float64())
			h := held{want: float32(i), len: n}
			h.t = s.Call("aten::full", []int{n}, float64(i), int(torch.Float32), nil, nil, nil)
			tensors = append(tensors, h)
			if len(tensors) < alive {
				continue
			}
			k := rng.IntN(len(tensors))
			h = tensors[k]
			for _, op := range []string{"aten::amin", "aten::amax"} {
				if got := s.Float32s(s.Call(op, h.t, []int{0}, false)); !slices.Equal(got, []float32{h.want}) {
					t.Fatalf("round %d: %s of %d times %v is %v", i, op, h.len, h.want, got)
				}
			}
			s.Release(h.t)
			tensors = slices.Delete(tensors, k, k+1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if grown := resident(t) - before; grown > 2*alive*most*tensor.Float32.Size() {
		t.Errorf("%d tensors of at most 8 MB at a time took %d MB", alive, grown>>20)
	}
}
