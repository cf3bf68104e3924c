package pdparams_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdparams"
)

// Pieces of pickles, in protocol 2.
const (
	proto       = "\x80\x02"
	reconstruct = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
	float32LE   = "cnumpy\ndtype\nU\x02f4\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	one         = "U\x04\x00\x00\x80\x3f" // 1 as float32
)

// array is a pickled array of one axis: its state may be anything.
func array(length, dtype, order, data string) string {
	return reconstruct + "(K\x01" + length + "\x85" + dtype + order + data + "tb"
}

// dict is a whole pickle of a dict with one key.
func dict(value string) string { return proto + "}U\x01w" + value + "s." }

func open(data string) (*pdparams.File, error) {
	return pdparams.Read(strings.NewReader(data), int64(len(data)))
}

// A pickle that asks for code is refused, the code is named and not run.
func TestForbidden(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	shell := fmt.Sprintf("X%c\x00\x00\x00touch %s\x85", len("touch ")+len(marker), marker)
	for _, tc := range []struct{ name, pickle, global string }{
		{"GLOBAL, REDUCE", proto + "cos\nsystem\n" + shell + "R.", "os.system"},
		{"GLOBAL alone", proto + "cposix\nsystem\n.", "posix.system"},
		{"STACK_GLOBAL", "\x80\x04\x8c\x02os\x8c\x06system\x93" + shell + "R.", "os.system"},
		{"STACK_GLOBAL from the memo", "\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93" + shell + "R.", "os.system"},
		{"INST", proto + "(X\x04\x00\x00\x00trueios\nsystem\n.", "os.system"},
		{"OBJ", proto + "(cos\nsystem\nX\x04\x00\x00\x00trueo.", "os.system"},
		{"NEWOBJ", proto + "csubprocess\nPopen\n" + shell + "\x81.", "subprocess.Popen"},
		{"NEWOBJ_EX", "\x80\x04csubprocess\nPopen\n" + shell + "}\x92.", "subprocess.Popen"},
		{"BUILD that calls __setstate__", proto + "c__main__\nEvil\n)\x81}b.", "__main__.Evil"},
		{"builtins.exec", proto + "cbuiltins\nexec\n" + shell + "R.", "builtins.exec"},
		{"builtins.getattr", proto + "c__builtin__\ngetattr\n.", "__builtin__.getattr"},
		{"a dotted name", "\x80\x04\x8c\x08builtins\x8c\x0cdict.__new__\x93.", "builtins.dict.__new__"},
		{"numpy's own loader", proto + "cnumpy\nload\n.", "numpy.load"},
		{"builtins.eval of code", proto + "c__builtin__\neval\nX\x03\x00\x00\x001+1}\x86R.", "builtins.eval"},
		{"eval as Paddle calls it, of no array", proto + "cbuiltins\neval\nU\x04data}U\x04dataU\x03abcs\x86R.", "builtins.eval"},
		{"eval with another variable", proto + "cbuiltins\neval\nU\x04data}(U\x04data" + array("K\x01", float32LE, "\x89", one) +
			"U\x0c__builtins__Nu\x86R.", "builtins.eval"},
		{"eval as a value", dict("cbuiltins\neval\n"), "builtins.eval"},
		{"in a dict", dict("cos\nsystem\n" + shell + "R"), "os.system"},
		{"as an array's type", dict(array("K\x01", "cos\nsystem\n"+shell+"R", "\x89", one)), "os.system"},
		{"as an array's class", dict("cnumpy.core.multiarray\n_reconstruct\ncos\nsystem\nK\x00\x85U\x01b\x87R"), "os.system"},
		{"as the type of a type", dict("cnumpy\ndtype\ncos\nsystem\n" + shell + "R\x85R"), "os.system"},
		{"as a type's metadata", dict("cnumpy\ndtype\nU\x02f4\x89\x88\x87R(K\x04U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00cos\nsystem\n" +
			shell + "Rtb"), "os.system"},
		{"thrown away", proto + "cos\nsystem\n" + shell + "R0}.", "os.system"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(tc.pickle)
			var forbidden *pdparams.ForbiddenError
			if !errors.As(err, &forbidden) || forbidden.Global != tc.global {
				t.Fatalf("error %v, want %s forbidden", err, tc.global)
			}
			if forbidden.Offset <= 0 || forbidden.Offset >= int64(len(tc.pickle)) {
				t.Errorf("offset %d is outside of the file", forbidden.Offset)
			}
			if want := "refuses to call " + tc.global; !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the command ran")
	}
}

func TestUnsupported(t *testing.T) {
	for _, tc := range []struct{ name, pickle, want string }{
		{"protocol 6", "\x80\x06}.", "pickle protocol 6"},
		{"persistent id", proto + "U\x01xQ.", "BINPERSID"},
		{"extension code", proto + "\x82\x01.", "EXT1"},
		{"buffer outside the file", "\x80\x05\x97.", "NEXT_BUFFER"},
		{"INST of a known class", proto + "(ibuiltins\ndict\n.", "INST"},
		{"NEWOBJ of a known class", proto + "cbuiltins\ndict\n)\x81.", "NEWOBJ"},
		{"opcode of protocol 0", proto + "S'x'\n.", "STRING"},
		{"object array", dict(array("K\x01", "cnumpy\ndtype\nU\x02O8\x89\x88\x87R", "\x89", "]NaU\x00")), "Python objects"},
		{"array of text", dict("cnumpy\ndtype\nU\x02U3\x89\x88\x87R"), `type "U3"`},
		{"array of dates", dict("cnumpy\ndtype\nU\x02M8\x89\x88\x87R"), `type "M8"`},
		{"long double", dict("cnumpy\ndtype\nU\x03f16\x89\x88\x87R"), `type "f16"`},
		{"records", dict("cnumpy\ndtype\nU\x02f4\x89\x88\x87R(K\x03U\x01<N(U\x01at}tb"), "records"},
		{"a class as a value", dict("cnumpy\nndarray\n"), "numpy.ndarray as a value"},
		{"a type as a value", dict(float32LE), "numpy.dtype as a value"},
		{"a call of a class", dict("cnumpy\nndarray\n)R"), "a call of numpy.ndarray"},
		{"a state for a dict", dict("}}b"), "a state for a dict"},
		{"bytes in another encoding", dict("c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00utf-7\x86R"), "_codecs.encode"},
		{"a tuple as a key", proto + "})Ns.", "a dict key that is a tuple of 0"},
		{"a name used twice", proto + "}(U\x03a/b" + array("K\x01", float32LE, "\x89", one) + "U\x01a}U\x01b" +
			array("K\x01", float32LE, "\x89", one) + "su.", `two tensors named "a/b"`},
		{"a list in itself", proto + "]q\x00h\x00a.", "refer to each other"},
		{"too many opcodes", proto + strings.Repeat("N", 1<<22) + ".", "more than 4194304 opcodes"},
		{"deep nesting", proto + strings.Repeat("]", 5000) + strings.Repeat("a", 4999) + ".", "nested deeper"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(tc.pickle)
			var unsupported *pdparams.UnsupportedError
			if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q unsupported", err, tc.want)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	for _, tc := range []struct {
		name, pickle string
		offset       int64
		want         string
	}{
		{"unknown opcode", proto + "\xff", 2, "unknown opcode 0xff"},
		{"nothing on the stack", proto + ".", 2, "stack is empty"},
		{"below the mark", proto + "N(\x85", 4, "stack is empty"},
		{"no mark", proto + "Nt.", 3, "no mark"},
		{"memo never set", proto + "h\x05.", 2, "memo 5"},
		{"a key without a value", proto + "}(Nu.", 5, "key without a value"},
		{"items of no dict", proto + "N(NNu.", 6, "items set on None"},
		{"appended to no list", proto + "NNa.", 4, "appended to None"},
		{"a class without a name", "\x80\x04NN\x93.", 4, "a class whose name is None"},
		{"a call of no class", proto + "N)R.", 4, "a call of None"},
		{"an integer that is none", proto + "I12x\n.", 2, "not an integer"},
		{"a line without end", proto + "cnumpy", 2, "without its end"},
		{"a key that is no UTF-8", proto + "}X\x02\x00\x00\x00\xc3(Ns.", 8, "not valid UTF-8"},
		{"length beyond the file", proto + "X\xff\xff\xff\xff.", 7, "4294967295 bytes wanted, 1 left"},
		{"length beyond int64", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", 11, "bytes wanted, 1 left"},
		{"frame beyond the file", "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x01.", 2, "cut short"},
		{"too few elements", dict(array("K\x02", float32LE, "\x89", one)), 0, "shape [2] of float32 does not fit 4 bytes"},
		{"too many elements", dict(array("K\x00", float32LE, "\x89", one)), 0, "shape [0] of float32 does not fit 4 bytes"},
		{"negative axis", dict(array("J\xff\xff\xff\xff", float32LE, "\x89", one)), 0, "axis 0 of a shape is -1"},
		{"huge axis", dict(array("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", float32LE, "\x89", one)), 0, "does not fit 4 bytes"},
		{"an axis that is no int", dict(array("N", float32LE, "\x89", one)), 0, "axis 0 of a shape is None"},
		{"65 axes", dict(reconstruct + "(K\x01(" + strings.Repeat("K\x01", 65) + "t" + float32LE + "\x89" + one + "tb"), 0, "65 axes"},
		{"a type that is no dtype", dict(array("K\x01", "N", "\x89", one)), 0, "whose type is None"},
		{"an order that is no bool", dict(array("K\x01", float32LE, "N", one)), 0, "whose order is None"},
		{"no elements", dict(array("K\x01", float32LE, "\x89", "N")), 0, "elements are None"},
		{"an array without a state", dict(reconstruct), 0, "without elements"},
		{"a name table that is none", proto + "}U\x1bStructuredToParameterName@@Ns.", 0, "not a dict"},
		{"a parameter name that is none", proto + "}U\x1bStructuredToParameterName@@}U\x01wNss.", 0, "maps w to None"},
		{"parts that are missing", proto + "}U\x15UnpackBigParamInfor@@}U\x01w}(U\x0bOriginShape)U\x06slices]U\x05w@@.0auss.", 0, `no part "w@@.0"`},
		{"a part used twice", proto + "}(U\x05w@@.0" + array("K\x01", float32LE, "\x89", one) +
			"U\x15UnpackBigParamInfor@@}U\x01w}(U\x0bOriginShapeK\x02\x85U\x06slices](U\x05w@@.0U\x05w@@.0eusu.", 0, `no part "w@@.0"`},
		{"parts that do not add up", proto + "}(U\x05w@@.0" + array("K\x01", float32LE, "\x89", one) +
			"U\x15UnpackBigParamInfor@@}U\x01w}(U\x0bOriginShapeK\x02\x85U\x06slices]U\x05w@@.0ausu.", 0, "do not add up to shape [2]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(tc.pickle)
			var format *pdparams.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one that says %q", err, tc.want)
			}
			if format.Offset != tc.offset && tc.offset > 0 {
				t.Errorf("offset %d, want %d: %v", format.Offset, tc.offset, err)
			}
			if format.Offset <= 0 || format.Offset > int64(len(tc.pickle)) {
				t.Errorf("offset %d is outside of the file", format.Offset)
			}
		})
	}
}

// The elements of an array in protocol 2 are text; what is wrong with them is
// found when the tensor is read.
func TestMalformedText(t *testing.T) {
	for _, text := range []string{
		"\x00\x00\xc2\x80",         // 3 characters
		"\x00\x00\xc2\x80?\x00",    // 5
		"\x00\x00\xc4\x80?",        // above U+00FF
		"\x00\x00\x80?",            // not UTF-8
		"\x00\x00\x80\xc2",         // ends within a character
		"\x00\x00\x00\xc2",         // likewise
		"\x00\x00\xc2?\x00",        // no continuation
		"\xc2\x80\xc2\x80\xc2\x80", // 3 characters in 6 bytes
	} {
		data := fmt.Sprintf("c_codecs\nencode\nX%c\x00\x00\x00%sX\x06\x00\x00\x00latin1\x86R", len(text), text)
		f, err := open(dict(array("K\x01", float32LE, "\x89", data)))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		d, err := f.Tensor("w")
		var format *pdparams.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), "tensor w") {
			t.Errorf("%q: %v, %v, want an error", text, d, err)
		}
	}
}

// A few bytes may describe a huge tree.
func TestBillionLaughs(t *testing.T) {
	lists := proto + "]q\x00"
	for i := range 60 {
		lists += fmt.Sprintf("](%sq%c", strings.Repeat(fmt.Sprintf("h%c", i), 10)+"e", i+1)
	}
	names := proto + "X\x00\x00\x10\x00" + strings.Repeat("n", 1<<20) + "q\x000" // a name of 1 MiB
	names += strings.Repeat("}h\x00", 90) + array("K\x01", float32LE, "\x89", one) + strings.Repeat("s", 90)
	for name, pickle := range map[string]string{"lists of lists": lists + ".", "long names": names + "."} {
		_, err := open(pickle)
		var unsupported *pdparams.UnsupportedError
		if !errors.As(err, &unsupported) {
			t.Errorf("%s: error %v, want it unsupported", name, err)
		}
	}
}

func TestNotAPickle(t *testing.T) {
	broken := func(name string) string {
		data, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data/paddle", name))
		if err != nil {
			t.Skip(err)
		}
		return string(data)
	}
	for _, tc := range []struct{ data, want string }{
		{"", "the file is empty"},
		{broken("broken/lfs-pointer.pdiparams"), "Git LFS pointer"},
		{broken("broken/pir-head.json"), "Paddle 3 (PIR, JSON)"},
		{broken("custom-gap/custom_gap.pdiparams"), ".pdiparams"},
		{broken("custom-gap/custom_gap.pdmodel"), "not a pickle"},
		{broken("mobilenetv3-small-035/model.onnx"), "not a pickle"},
		{"PK\x03\x04\x00\x00", "PyTorch"},
		{"\x80\x02\x00\x00\x00\x00\x00\x00{\"a\"", ".safetensors"},
		{"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "PyTorch"},
		{"\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"},
		{"<!DOCTYPE html><html>404</html>", "a web page"},
		{"größe: 3\n", `text, not a pickle: it begins "größe: 3\n"`},
		{"(dp0\n.", "text, not a pickle"}, // protocol 0
		{"\x01\x02\x03", "begins with byte 0x01"},
	} {
		_, err := open(tc.data)
		var format *pdparams.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.20q: error %v, want one that says %q", tc.data, err, tc.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := pdparams.Open(dir); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := pdparams.Open(filepath.Join(dir, "none.pdparams")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	path := filepath.Join(dir, "pointer.pdparams")
	if err := os.WriteFile(path, []byte("version https://git-lfs.github.com/spec/v1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pdparams.Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a pointer: %v, want an error that names %s", err, path)
	}
}

// A file that ends early is an error wherever it ends, also if it ended since
// its size was asked.
func TestTruncated(t *testing.T) {
	for _, protocol := range []int{2, 4} {
		data := small(t, protocol)
		for n := range data {
			var format *pdparams.FormatError
			if _, err := pdparams.Read(bytes.NewReader(data[:n]), int64(n)); !errors.As(err, &format) {
				t.Errorf("protocol %d: %d of %d bytes: %v, want a FormatError", protocol, n, len(data), err)
			}
			f, err := pdparams.Read(bytes.NewReader(data[:n]), int64(len(data)))
			if err == nil { // only elements are missing
				err = readAll(f)
			}
			if !errors.As(err, &format) {
				t.Errorf("protocol %d: %d of %d bytes: %v, want a FormatError", protocol, n, len(data), err)
			}
		}
	}
}

// Any one byte may be wrong without a panic.
func TestCorrupted(t *testing.T) {
	for _, protocol := range []int{2, 4} {
		data := small(t, protocol)
		for i := range data {
			old := data[i]
			for _, b := range []byte{0, 0xff, '.', '(', 't', old ^ 1, old ^ 0x80} {
				data[i] = b
				if f, err := pdparams.Read(bytes.NewReader(data), int64(len(data))); err == nil {
					readAll(f)
				}
			}
			data[i] = old
		}
	}
}

func readAll(f *pdparams.File) error {
	for _, name := range f.Names() {
		if _, err := f.Tensor(name); err != nil {
			return err
		}
	}
	return nil
}

// small is a checkpoint of about 1 KB.
func small(t testing.TB, protocol int) []byte {
	t.Helper()
	entries, o := sample()
	o.Protocol = protocol
	o.Extra = &pdparams.Dict{}
	o.Extra.Set("LR_Scheduler", scheduler())
	var few []pdparams.Entry
	names := map[string]string{}
	for _, name := range []string{"float32[3 5]", "int64[1]", "bool[]"} {
		for _, e := range entries {
			if e.Name == name {
				few, names[name] = append(few, e), name
			}
		}
	}
	o.ParameterNames = names
	var buf bytes.Buffer
	if err := pdparams.Write(&buf, few, o); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
