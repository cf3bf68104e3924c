// Package config reads PaddleVideo's YAML files, as its pptsn and tsn
// configurations use them, into typed values. Their vocabulary (class names,
// key names, Python's way of writing values) ends here.
//
// Reading is strict: an unknown key, a value of the wrong type or out of range,
// and an option that only another PaddleVideo model uses are errors with file
// and line, all reported at once. A file may leave sections out; what one use
// needs and the file lacks is an error when it is asked for.
//
// Sources: the reference's configs/recognition/{pptsn,tsn}, paddlevideo/utils/config.py
// for the syntax, and for the meaning and defaults of keys paddlevideo/tasks,
// loader, modeling/{backbones,heads}, solver, metrics and tools/utils.py.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/configs"
)

// A Config is one configuration file. Its methods give the sections.
type Config struct {
	File string // as given to Load or Parse, for messages

	Name        string     // model_name: prefix of every file written; default ppTSN or TSN, by the backbone
	OutputDir   string     // output_dir: where training writes; default output/Name
	LogLevel    slog.Level // log_level: DEBUG, INFO (default), WARNING, ERROR, CRITICAL (read as ERROR)
	LogInterval int        // log_interval: batches between two log lines; default 10
	UseGPU      bool       // use_gpu: False keeps to the CPU; default true

	// Unused lists keys that are accepted, because files of the reference
	// hold them, and have no effect here.
	Unused []string

	epochs     int // 0: not given
	run        Training
	model      *Model
	learnsFrom *Distillation // nil: MODEL is one network
	data       map[Use]Data
	clips      map[Use]clip.Spec
	misfits    map[Use]*Error // why a pipeline of clips cannot be used
	inference  *Inference
	optimizer  *Optimizer
	metric     *Metric
	daliLoader bool
}

// Load reads a file and applies overrides, each KEY=VALUE with a dotted key:
// MODEL.head.num_classes=101, PIPELINE.test.transform.0.Scale.short_size=128.
// Values are Python literals or YAML on one line, else strings.
//
// A path such as configs/recognition/pptsn/pptsn_k400_videos.yaml, where there is
// no such file, means the one of package configs.
func Load(path string, overrides []string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, overrides)
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		if data, ok := builtin(path); ok && errors.Is(err, fs.ErrNotExist) {
			return data, nil
		}
		return nil, fmt.Errorf("config: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("config: %s: a folder, not a YAML file", path)
	}
	if info.Size() > maxBytes {
		return nil, &Error{File: path, Msg: fmt.Sprintf("%d bytes: a configuration has at most %d", info.Size(), maxBytes)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return data, nil
}

// builtin is the file of package configs that a path from its parent means.
func builtin(path string) ([]byte, bool) {
	name, ok := strings.CutPrefix(filepath.ToSlash(filepath.Clean(path)), "configs/")
	if !ok {
		return nil, false
	}
	data, err := configs.FS.ReadFile(name)
	return data, err == nil
}

// Parse is Load for bytes; name stands for the file in messages.
func Parse(name string, data []byte, overrides []string) (*Config, error) {
	root, errs := readTree(name, data)
	if len(errs) > 0 {
		return nil, join(errs)
	}
	for _, text := range overrides {
		if e := applyOverride(root, text); e != nil {
			errs = append(errs, e)
		}
	}
	d := &decoder{file: name, root: root, errs: errs}
	if d.foreignModel(); len(d.errs) > len(errs) {
		return nil, join(d.errs) // the other sections follow from the model
	}
	c := d.config()
	if len(d.errs) > 0 {
		return nil, join(d.errs)
	}
	return c, nil
}

func (d *decoder) config() *Config {
	s := d.top()
	c := &Config{File: d.file}
	d.models(s.section("MODEL"), c)
	d.dataset(s.section("DATASET"), c)
	d.misfits = map[Use]*Error{}
	c.clips, c.misfits = d.pipelines(s.section("PIPELINE")), d.misfits
	c.optimizer = d.optimizer(s.section("OPTIMIZER"))
	c.metric = d.metric(s.section("METRIC"))
	c.inference = d.inference(s.section("INFERENCE"))
	c.run = d.training(s)
	c.daliLoader = d.dali(s.section("DALI_LOADER"))
	d.settings(s, c)
	s.done()
	d.consistent(c)
	c.Unused = d.unused
	return c
}

// settings reads the keys of the top level.
func (d *decoder) settings(s *section, c *Config) {
	c.Name = s.string("model_name", c.defaultName())
	s.check("model_name", c.Name != "" && filepath.Base(c.Name) == c.Name && c.Name != "." && c.Name != "..", "a file name")
	c.OutputDir = s.string("output_dir", filepath.Join("output", c.Name))
	c.epochs = s.int("epochs", 0)
	s.check("epochs", c.epochs > 0, "at least 1")
	c.LogInterval = s.int("log_interval", 10)
	s.check("log_interval", c.LogInterval > 0, "at least 1")
	c.LogLevel = logLevel(s.oneOf("log_level", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
	c.UseGPU = s.bool("use_gpu", true)
	s.only("use_npu", "CPU and CUDA devices only", false)
	s.only("use_xpu", "CPU and CUDA devices only", false)
	s.only("MULTIGRID", "only SlowFast trains with it")
	s.ignore("to_static")   // how Paddle runs the network; the numbers are the same
	s.ignore("resume_from") // the reference's own programs for these models do not read it
}

func (c *Config) defaultName() string {
	if c.model == nil {
		return "model"
	}
	return c.model.defaultName()
}

func logLevel(name string) slog.Level {
	switch name {
	case "DEBUG":
		return slog.LevelDebug
	case "WARNING":
		return slog.LevelWarn
	case "ERROR", "CRITICAL":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// missing is the error of a section that was asked for and is not there.
func (c *Config) missing(key string) error {
	e := &Error{File: c.File, Key: key, Msg: "missing"}
	if c.daliLoader && (key == "PIPELINE.train" || key == "DATASET.train") {
		e.Msg = "missing (DALI_LOADER does not replace it here)"
	}
	return e
}
