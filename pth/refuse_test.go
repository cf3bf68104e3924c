package pth_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/pth"
)

// Pieces of pickles, in protocol 2.
const (
	proto   = "\x80\x02"
	rebuild = "ctorch._utils\n_rebuild_tensor_v2\n"
	magic   = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
	head    = magic + "\x80\x02M\xe9\x03." + "\x80\x02}U\x0dlittle_endian\x88s."
)

// id is the persistent id of a storage "0"; rest follows the number of elements.
func id(class, elements, rest string) string {
	return "(U\x07storagec" + class + "\nU\x010U\x03cpu" + elements + rest + "tQ"
}

// dict is a whole pickle of {"w": tensor}.
func dict(storage, offset, shape, strides string) string {
	return proto + "}U\x01w" + rebuild + "(" + storage + offset + shape + strides + "\x89}tRs."
}

// archive is a zip file of data.pkl and more (name, data) pairs.
func archive(t testing.TB, method uint16, data string, more ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range append([]string{"a/data.pkl", data}, more...) {
		if i%2 == 1 {
			continue
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write([]byte(append([]string{"a/data.pkl", data}, more...)[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func open(data string) (*pth.File, error) {
	return pth.Read(strings.NewReader(data), int64(len(data)))
}

const (
	four   = "K\x04"
	float4 = "\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f"
)

func floats(rest string) string { return id("torch\nFloatStorage", four, rest) }

// A tensor of two rows whose storage stands in a legacy file as a part of a
// larger one.
func TestLegacyPart(t *testing.T) {
	part := "(U\x01vK\x02K\x02t"
	data := "\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00"
	f, err := open(head + dict(floats(part), "K\x01", "K\x01\x85", "K\x01\x85") + proto + "]U\x010a." +
		"\x04\x00\x00\x00\x00\x00\x00\x00" + data)
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{4, 0, 0, 0}; !bytes.Equal(d.Data, want) {
		t.Errorf("bytes %v, want %v", d.Data, want)
	}
}

// Files that would call code, and files that are wrong.
func TestRefused(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	shell := fmt.Sprintf("X%c\x00\x00\x00touch %s\x85", len("touch ")+len(marker), marker)
	good := dict(floats(""), "K\x00", "K\x04\x85", "K\x01\x85")
	keys := proto + "]U\x010a."
	zipped := func(pickle string) string { return archive(t, zip.Store, pickle, "a/data/0", float4) }
	damaged := strings.Replace(zipped(good), float4, "\x01"+float4[1:], 1)
	for _, tc := range []struct{ name, file, want string }{
		{"empty", "", "the file is empty"},
		{"text", "hello", "not a file of torch.save"},
		{"Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
		{"web page", "<!doctype html>", "web page"},
		{"Paddle", "\x80\x04}.", "a Paddle checkpoint"},
		{"os.system", zipped(proto + "cos\nsystem\n" + shell + "R."), "refuses to call os.system"},
		{"os.system, legacy", head + proto + "cposix\nsystem\n" + shell + "R.", "refuses to call posix.system"},
		{"os.system before the magic number", magic[:2] + "cos\nsystem\n" + shell + "R.", "did not write"},
		{"os.system as an instance", zipped(proto + "cos\nsystem\n" + shell + "\x81."), "refuses to call os.system"},
		{"getattr", zipped(proto + "c__builtin__\ngetattr\ncargparse\nNamespace\nU\x01x\x86R."), "refuses to call builtins.getattr"},
		{"torch.load in a file", zipped(proto + "ctorch.storage\n_load_from_bytes\nU\x01x\x85R."), "refuses to call torch.storage._load_from_bytes"},
		{"a class as a storage", zipped(dict(id("os\nsystem", four, ""), "K\x00", "K\x04\x85", "K\x01\x85")), "refuses to call os.system"},
		{"another class as a storage", zipped(dict(id("torch\nSize", four, ""), "K\x00", "K\x04\x85", "K\x01\x85")), "a storage of class torch.Size"},

		{"cut archive", zipped(good)[:200], "the file is cut short"},
		{"archive of something else", strings.ReplaceAll(zipped(good), "data.pkl", "data.txt"), "without ARCHIVE/data.pkl"},
		{"compressed anew", archive(t, zip.Deflate, good, "a/data/0", float4), "compressed anew"},
		{"big-endian", archive(t, zip.Store, good, "a/data/0", float4, "a/byteorder", "big"), "byte order big"},
		{"no storage", archive(t, zip.Store, good), "the archive lacks a/data/0"},
		{"short storage", archive(t, zip.Store, good, "a/data/0", float4[:8]), "has 8 bytes, want 4 elements"},
		{"storage of half an element", archive(t, zip.Store, good, "a/data/0", float4[:15]), "has 15 bytes"},
		{"damaged storage", damaged, "checksum"},

		{"beyond its storage", zipped(dict(floats(""), "K\x01", "K\x04\x85", "K\x01\x85")), "outside of its storage"},
		{"beyond its storage by a stride", zipped(dict(floats(""), "K\x00", "K\x02K\x02\x86", "K\x03K\x01\x86")), "outside of its storage"},
		{"beyond by an overflow", zipped(dict(floats(""), "K\x00", "K\x03\x85", "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40\x85")), "outside of its storage"},
		{"before its storage", zipped(dict(floats(""), "J\xff\xff\xff\xff", "K\x04\x85", "K\x01\x85")), "outside of its storage"},
		{"negative size", zipped(dict(floats(""), "K\x00", "J\xff\xff\xff\xff\x85", "K\x01\x85")), "axis 0 of a shape is -1"},
		{"huge size", zipped(dict(floats(""), "K\x00", "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40K\x04\x86", "K\x00K\x00\x86")), "a tensor of shape"},
		{"repeats its storage", zipped(dict(floats(""), "K\x00", "J\xff\xff\xff\x7f\x85", "K\x00\x85")), "repeats the 4"},
		{"strides of other axes", zipped(dict(floats(""), "K\x00", "K\x04\x85", ")")), "1 axes with 0 strides"},
		{"an odd persistent id", zipped(proto + "U\x01xQ."), "a persistent id that is a str"},

		{"legacy protocol", magic + "\x80\x02K\x05.\x80\x02}." + good, "protocol 5 of torch.save"},
		{"legacy of a big-endian machine", magic + "\x80\x02M\xe9\x03.\x80\x02}U\x0dlittle_endian\x89s." + good, "big-endian"},
		{"legacy cut in the storage", head + good + keys + "\x04\x00\x00\x00\x00\x00\x00\x00" + float4[:15], "cut short"},
		{"legacy cut before the storage", head + good + keys + "\x04", "cut short"},
		{"legacy cut before the keys", head + good, "cut short"},
		{"legacy storage of another size", head + good + keys + "\x05\x00\x00\x00\x00\x00\x00\x00" + float4, "has 5 elements, want 4"},
		{"legacy storage twice", head + good + proto + "](U\x010U\x010e." + "\x04\x00\x00\x00\x00\x00\x00\x00" + float4 + float4, "which the object does not"},
		{"legacy storage missing", head + good + proto + "].", `storage "0" is missing`},
		{"legacy part beyond", head + dict(floats("(U\x01vK\x03K\x02t"), "K\x00", "K\x02\x85", "K\x01\x85") + keys, "a part of a storage"},
		{"legacy huge storage", head + dict(id("torch\nFloatStorage", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "N"), "K\x00", "K\x04\x85", "K\x01\x85") +
			keys + "\xff\xff\xff\xff\xff\xff\xff\x7f" + float4, "cut short"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := open(tc.file)
			if err == nil {
				_, err = f.Tensor("w")
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			typed(t, err)
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the command ran")
	}
}
