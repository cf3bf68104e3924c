package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/contact"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/ordered"
)

// A browser finds and loads what browse shows.
type browser struct {
	*browseOptions
	cfg    *config.Config
	spec   clip.Spec
	set    *dataset.Set // nil: videos of the command line
	data   config.Data
	names  []string // of the classes; nil if unknown
	shown  []browsed
	err    io.Writer
	failed int // clips
}

// A browsed clip of a list or the command line.
type browsed struct {
	title  string
	sample int // index into the list or of the arguments
	load   func(context.Context, *rand.Rand) (*clip.Clip, error)
}

func newBrowser(cfg *config.Config, o *browseOptions, stdin io.Reader, err io.Writer) (*browser, error) {
	b := &browser{browseOptions: o, cfg: cfg, err: err}
	for _, step := range []func() error{b.pipeline, b.list, func() error { return b.arguments(stdin) }, b.checkSize} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *browser) pipeline() (err error) {
	if b.use == useInference {
		section, err := b.cfg.Inference()
		b.spec = section.Clip
		return err
	}
	b.spec, err = b.cfg.Clip(config.Use(b.use))
	return err
}

// list chooses clips of the list.
func (b *browser) list() (err error) {
	if len(b.videos) > 0 {
		return nil
	}
	classes := 0
	if model, err := b.cfg.Model(); err == nil { // the section is optional here
		classes = model.Network.Classes
	}
	if b.names, err = classNames(b.labels, b.cfg, classes); err != nil {
		return err
	}
	use := config.Use(b.use)
	if b.use == useInference {
		use = config.Test
	}
	if b.set, b.data, err = openData(b.cfg, use, b.spec, classes, openCache(b.err)); err != nil {
		return err
	}
	samples, err := b.choose()
	if err != nil {
		return err
	}
	for _, i := range samples {
		b.shown = append(b.shown, browsed{
			title: b.describe(i), sample: i,
			load: func(ctx context.Context, rng *rand.Rand) (*clip.Clip, error) { return b.set.Load(ctx, i, rng) },
		})
	}
	return nil
}

// choose returns the samples of the lines that are named, or some that are
// spread over the list.
func (b *browser) choose() ([]int, error) {
	var chosen []int
	if len(b.lines) == 0 {
		n := min(b.samples, b.set.Len())
		for i := range n {
			chosen = append(chosen, i*b.set.Len()/n)
		}
		return chosen, nil
	}
	at := map[int]int{}
	for i := range b.set.Len() {
		at[b.set.Sample(i).Line] = i
	}
	for _, line := range b.lines {
		i, ok := at[line]
		if !ok {
			return nil, fmt.Errorf("--line %d: %s has no clip there", line, b.data.List)
		}
		chosen = append(chosen, i)
	}
	return chosen, nil
}

// describe names the clip's class, file and line.
func (b *browser) describe(sample int) string {
	s := b.set.Sample(sample)
	return fmt.Sprintf("%s: %s (%s:%d)", b.class(s.Label), s.Name, filepath.Base(b.data.List), s.Line)
}

func (b *browser) class(label int) string {
	if label < len(b.names) {
		return fmt.Sprintf("%d %s", label, b.names[label])
	}
	return fmt.Sprintf("class %d", label)
}

// arguments takes the videos of the command line.
func (b *browser) arguments(stdin io.Reader) error {
	for _, input := range b.videos {
		for path, err := range expand(input, stdin) {
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			b.shown = append(b.shown, browsed{
				title: path, sample: len(b.shown),
				load: func(ctx context.Context, rng *rand.Rand) (*clip.Clip, error) { return b.video(ctx, path, rng) },
			})
		}
	}
	return nil
}

func (b *browser) video(ctx context.Context, path string, rng *rand.Rand) (*clip.Clip, error) {
	return loadVideo(ctx, path, b.spec, clip.Options{Rand: rng})
}

// maxShown pictures are held in memory: 750 MB at 224 x 224 pixels.
const maxShown = 5000

// checkSize refuses before anything is decoded what would be too much.
func (b *browser) checkSize() error {
	clips, views := len(b.shown)*b.epochs, b.spec.Views()
	if b.epochs > maxShown || clips*views > maxShown { // the product of more may overflow
		return fmt.Errorf("%d clips of %d pictures are more than a sheet holds (%d): %s", clips, views, maxShown, showFewer)
	}
	if h, w := b.spec.Size(); b.png() && clips*views*h*w > contact.MaxPixels {
		return fmt.Errorf("%w: %s, or --output sheet.html", contact.ErrTooLarge, showFewer)
	}
	return nil
}

const showFewer = "show fewer with --samples or --line, or fewer segments with -o"

// clips loads and lays out each clip in each epoch.
func (b *browser) clips(ctx context.Context) ([]contact.Row, error) {
	m := newMeter(b.err, "browse", "clips", len(b.shown)*b.epochs)
	defer m.close()
	var rows []contact.Row
	for s := range ordered.Map(ctx, b.appearances(), runtime.GOMAXPROCS(0), 1, b.load) {
		m.add(1)
		if s.err != nil && ctx.Err() == nil {
			b.failed++
			m.say("pptsn: %v", s.err)
		}
		rows = append(rows, b.rows(s)...)
	}
	return rows, ctx.Err()
}

// An appearance is a clip in one epoch.
type appearance struct {
	browsed
	epoch int // from 1
	clip  *clip.Clip
	err   error
}

func (b *browser) appearances() iter.Seq[appearance] {
	return func(yield func(appearance) bool) {
		for _, s := range b.shown {
			for e := range b.epochs {
				if !yield(appearance{browsed: s, epoch: b.epoch + e}) {
					return
				}
			}
		}
	}
}

func (b *browser) load(ctx context.Context, a appearance) appearance {
	a.clip, a.err = a.browsed.load(ctx, dataset.SampleRand(b.seed, a.epoch-1, a.sample))
	return a
}

func (b *browser) title() string {
	if b.use == useInference {
		return "What predict sees"
	}
	return "What the network sees: " + b.use
}

// note says what is shown, its size, and the configuration.
func (b *browser) note() string {
	what := "PIPELINE." + b.use
	if b.use == useInference {
		what = "INFERENCE"
	}
	if b.set != nil {
		what += " on " + b.data.List
	}
	if b.spec.Random() {
		what += fmt.Sprintf("; seed %d, epoch %d", b.seed, b.epoch)
		if b.epochs > 1 {
			what += fmt.Sprintf(" to %d", b.epoch+b.epochs-1)
		}
	}
	size := ""
	if h, w := b.spec.Size(); h > 0 {
		size = fmt.Sprintf(" of %d x %d pixels", w, h)
	}
	views := fmt.Sprintf("%d pictures%s a clip; frames count from 0", b.spec.Views(), size)
	if b.mix {
		views += ", their numbers are those of the clip that is named"
	}
	return strings.Join([]string{what, views, b.config + prefixed(" -o ", b.overrides)}, "\n")
}
