package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// smallConfig is a PP-TSN that runs in a fraction of a second.
const smallConfig = `MODEL:
    framework: "Recognizer2D"
    backbone:
        name: "ResNetTweaksTSN"
        layers: 18
    head:
        name: "ppTSNHead"
        num_classes: 7
        in_channels: 512
INFERENCE:
    name: "ppTSN_Inference_helper"
    num_seg: 2
    short_size: 64
    target_size: 48
model_name: "ppTSN"
`

// command runs the program; stdin may be "".
func command(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeCheckpoint writes random weights of a network.
func writeCheckpoint(t *testing.T, path string, s tsn.Spec) string {
	t.Helper()
	net, err := tsn.Build(s, 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	rng, entries := rand.New(rand.NewPCG(3, 4)), []pdparams.Entry(nil)
	for _, p := range net.Params {
		w := tensor.New(tensor.Float32, p.Shape...)
		for i := range w.Float32s() {
			switch {
			case strings.HasSuffix(p.Name, "_variance"), strings.HasSuffix(p.Name, "_batch_norm.weight"):
				w.Float32s()[i] = 0.5 + rng.Float32()
			default:
				w.Float32s()[i] = float32(rng.NormFloat64()) * 0.05
			}
		}
		entries = append(entries, pdparams.Entry{Name: p.Name, Tensor: w})
	}
	err = atomicfile.Write(path, func(to io.Writer) error { return pdparams.Write(to, entries, pdparams.WriteOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A fixture is what most tests need, made once: a configuration, a checkpoint,
// the exported model and a clip of 60 frames.
type fixture struct{ dir, config, weights, model, clip string }

var fixtureOnce = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "pptsn-cmd-test-") })

var fixtureMade sync.Once

func TestMain(m *testing.M) {
	if os.Getenv("PPTSN_TEST_MAIN") != "" { // see child
		main()
	}
	if dir, err := fixtureOnce(); err == nil { // tests leave the user's cache alone
		os.Setenv("PPTSN_CACHE", filepath.Join(dir, "cache"))
	}
	code := m.Run()
	if dir, err := fixtureOnce(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func makeFixture(t *testing.T) fixture {
	t.Helper()
	dir, err := fixtureOnce()
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{dir, filepath.Join(dir, "small.yaml"), filepath.Join(dir, "small.pdparams"), filepath.Join(dir, "model"), filepath.Join(dir, "clip.mp4")}
	fixtureMade.Do(func() {
		writeFile(t, f.config, smallConfig)
		writeCheckpoint(t, f.weights, tsn.Spec{Family: tsn.PPTSN, Layers: 18, Classes: 7})
		makeClip(t, f.clip, 60)
		code, _, stderr := command(t, "", "export", "-c", f.config, "-p", f.weights, "-o", f.model)
		if code != 0 {
			t.Fatalf("export: exit code %d: %s", code, stderr)
		}
	})
	if _, err := os.Stat(f.clip); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	return f
}

// makeClip draws an H.264 clip with sound of that many frames.
func makeClip(t *testing.T, path string, frames int) {
	t.Helper()
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=96x72:r=25", "-f", "lavfi", "-i", "sine", "-frames:v", itoa(frames),
		"-t", "4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("the ffmpeg tool, which makes the test clips, is absent")
	}
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}
