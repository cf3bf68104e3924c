package torch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/torch"
)

// do runs f in a scope of a new session and fails the test with its error.
func do(t *testing.T, f func(s *torch.Scope)) {
	t.Helper()
	err := session(t).Do(t.Context(), func(s *torch.Scope) error { f(s); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func TestCall(t *testing.T) {
	do(t, func(s *torch.Scope) {
		x := s.From(tensor.FromFloat32([]float32{1, -2, 3, -4}, 2, 2))
		for _, tc := range []struct {
			name string
			got  torch.Tensor
			want []float32
		}{
			{"one operand", s.Call("aten::relu", x), []float32{1, 0, 3, 0}},
			{"overload and number", s.Call("aten::add.Tensor", x, x, 2), []float32{3, -6, 9, -12}},
			{"list of numbers", s.Call("aten::sum.dim_IntList", x, []int{1}, false, nil), []float32{-1, -1}},
			{"list of tensors", s.Call("aten::cat", []torch.Tensor{x, x}, 1), []float32{1, -2, 1, -2, 3, -4, 3, -4}},
			{"optional left out", s.Call("aten::clamp", x, nil, 1.0), []float32{1, -2, 1, -4}},
			{"optional tensor left out", s.Call("aten::linear", x, x, torch.Tensor{}), []float32{5, 11, 11, 25}},
			{"type", s.Call("aten::to.dtype", x, torch.Int64, false, false, nil), []float32{1, -2, 3, -4}},
		} {
			if got := s.Float32s(tc.got); !slices.Equal(got, tc.want) {
				t.Errorf("%s: %v, want %v (%v)", tc.name, got, tc.want, s.Err())
			}
		}
		var out [2]torch.Tensor
		s.CallN("aten::max.dim", out[:], x, 1, false)
		if best, at := s.Float32s(out[0]), s.Float32s(out[1]); !slices.Equal(best, []float32{1, 3}) || !slices.Equal(at, []float32{0, 0}) {
			t.Errorf("two results: %v at %v, want [1 3] at [0 0]", best, at)
		}
	})
}

// What is wrong is said in a line or two, without a backtrace of C++.
func TestCallErrors(t *testing.T) {
	session := session(t)
	for _, tc := range []struct {
		name string
		call func(s *torch.Scope, x torch.Tensor)
		want []string // parts of the message
	}{
		{"no such operator", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::rleu", x) }, []string{"no operator aten::rleu"}},
		{"no such overload", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::add.Tensors", x, x, 1) }, []string{"no operator aten::add.Tensors"}},
		{"too few arguments", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::add.Tensor", x) }, []string{"aten::add.Tensor", "3 arguments", "1 "}},
		{"no arguments", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::relu") }, []string{"aten::relu", "1 arguments", "0 "}},
		{"too many arguments", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::relu", x, 1) }, []string{"aten::relu", "1 arguments", "2 "}},
		{"argument of another kind", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::relu", 1) }, []string{"aten::relu"}},
		{"list for a number", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::softmax.int", x, []int{1}, nil) }, []string{"aten::softmax.int"}},
		{"absent tensor", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::relu", torch.Tensor{}) }, []string{"aten::relu"}},
		{"argument unknown here", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::relu", "x") }, []string{"aten::relu", "argument 0", "a string"}},
		{"hole in a list", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::cat", []torch.Tensor{x, {}}, 0) }, []string{"aten::cat", "argument 0", "no tensor"}},
		{"shapes", func(s *torch.Scope, x torch.Tensor) {
			s.Call("aten::mm", x, s.From(tensor.New(tensor.Float32, 3, 4)))
		}, []string{"aten::mm", "2x2", "3x4"}},
		{"more results than room", func(s *torch.Scope, x torch.Tensor) { s.Call("aten::max.dim", x, 1, false) }, []string{"aten::max.dim", "more results"}},
		{"shape of no tensor", func(s *torch.Scope, x torch.Tensor) { s.Shape(torch.Tensor{}) }, []string{"no tensor"}},
		{"no tensor to the host", func(s *torch.Scope, x torch.Tensor) { s.Float32s(torch.Tensor{}) }, []string{"no tensor"}},
		{"backward from no tensor", func(s *torch.Scope, x torch.Tensor) { s.Backward(torch.Tensor{}) }, []string{"backward", "no tensor"}},
		{"backward from an array", func(s *torch.Scope, x torch.Tensor) {
			s.RequireGrad(x)
			s.WithGrad(func() { s.Backward(s.Call("aten::relu", x)) })
		}, []string{"backward", "scalar"}},
		{"gradient of a leaf of whole numbers", func(s *torch.Scope, x torch.Tensor) { s.RequireGrad(s.To(x, torch.Int64)) }, []string{"require grad", "floating point"}},
		{"bytes that do not fill the shape", func(s *torch.Scope, x torch.Tensor) {
			s.From(&tensor.Dense{Type: tensor.Float32, Shape: []int{3}, Data: make([]byte, 8)})
		}, []string{"copy", "12 bytes", "there are 8"}},
	} {
		err := session.Do(t.Context(), func(s *torch.Scope) error {
			tc.call(s, s.From(tensor.New(tensor.Float32, 2, 2)))
			return nil
		})
		if err == nil {
			t.Errorf("%s: no error", tc.name)
			continue
		}
		msg := err.Error()
		for _, part := range tc.want {
			if !strings.Contains(msg, part) {
				t.Errorf("%s: %q, want %q in it", tc.name, msg, part)
			}
		}
		if !strings.HasPrefix(msg, "torch: ") || strings.Contains(msg, "frame #") || strings.Contains(msg, "Exception raised") || strings.Count(msg, "\n") > 4 {
			t.Errorf("%s: not a message for people: %q", tc.name, msg)
		}
	}
}

func TestScopeRemembersFirstError(t *testing.T) {
	err := session(t).Do(t.Context(), func(s *torch.Scope) error {
		x := s.From(tensor.New(tensor.Float32, 2, 2))
		bad := s.Call("aten::first_mistake", x)
		if !bad.None() {
			t.Error("a call that fails returns a tensor")
		}
		first := s.Err()
		if y := s.Call("aten::relu", x); !y.None() { // would have worked
			t.Error("a call after an error returns a tensor")
		}
		if s.Shape(x) != nil || s.Float32s(x) != nil || !s.From(tensor.New(tensor.Float32, 1)).None() {
			t.Error("something was done after an error")
		}
		s.Call("aten::second_mistake")
		s.Fail(errors.New("third"))
		if s.Err() != first {
			t.Errorf("Err is %v, want %v", s.Err(), first)
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "first_mistake") || strings.Contains(err.Error(), "second") {
		t.Errorf("error of Do is %v, want the first", err)
	}
}

// The function's own error is what Do returns, even if a call failed too.
func TestDoReturnsOwnError(t *testing.T) {
	own := errors.New("own")
	err := session(t).Do(t.Context(), func(s *torch.Scope) error {
		s.Call("aten::mistake")
		return own
	})
	if !errors.Is(err, own) || strings.Contains(err.Error(), "mistake") {
		t.Errorf("error is %v, want %v", err, own)
	}
}

// Tensors that are kept outlive their scope; released ones must not be freed
// again at its end, which would crash.
func TestKeepAndRelease(t *testing.T) {
	session := session(t)
	var kept torch.Tensor
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		x := s.From(tensor.FromFloat32([]float32{1, 2}, 2))
		kept = s.Call("aten::add.Tensor", x, x, 1)
		s.Keep(kept)
		s.Release(x, x, kept, torch.Tensor{}) // kept is the scope's no more: it stays
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = session.Do(t.Context(), func(s *torch.Scope) error {
		if got := s.Float32s(kept); !slices.Equal(got, []float32{2, 4}) {
			t.Errorf("kept tensor is %v, want [2 4]", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	session.Free(kept, torch.Tensor{})
}

// A tensor outlives the session that it was kept from, to be freed later.
func TestFreeAfterClose(t *testing.T) {
	session := session(t)
	var kept torch.Tensor
	err := session.Do(t.Context(), func(s *torch.Scope) error {
		kept = s.From(tensor.New(tensor.Float32, 1000))
		s.Keep(kept)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	session.Close()
	session.Free(kept)
}

// Arrays of every type come back as they went, with any number of axes.
func TestCopies(t *testing.T) {
	do(t, func(s *torch.Scope) {
		for _, typ := range []tensor.Type{tensor.Uint8, tensor.Int32, tensor.Int64, tensor.Float16, tensor.BFloat16, tensor.Float32, tensor.Float64} {
			for _, shape := range [][]int{{}, {3}, {0}, {2, 0, 3}, {2, 1, 3, 1, 2}} {
				d := tensor.New(typ, shape...)
				for i := range d.Data {
					d.Data[i] = byte(i % 50) // no NaN in any of the types
				}
				on := s.From(d)
				back := s.Dense(on, typ)
				if back == nil || !slices.Equal(back.Shape, d.Shape) || !slices.Equal(back.Data, d.Data) {
					t.Errorf("%s came back as %v (%v)", d, back, s.Err())
				}
				if want := d.Type.String(); s.DType(on).String() != want {
					t.Errorf("%s is %s on the device", d, s.DType(on))
				}
			}
		}
		x := s.Call("aten::t", s.From(tensor.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3))) // strided
		if got := s.Float32s(x); !slices.Equal(got, []float32{1, 4, 2, 5, 3, 6}) {
			t.Errorf("transposed: %v", got)
		}
	})
}
