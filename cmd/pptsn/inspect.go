package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pptsn/pptsn/convert"
)

func newInspect() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Show what is in a video, a checkpoint or a model",
		Long: `Inspect says what a file holds:
  a video               codec, size as shown, rotation, frames that truly decode
  .pdparams, .pdopt, .pth, .safetensors
                        names, shapes and types of the tensors, number of values
  .pdmodel, or a model's folder
                        operators, inputs, cost, preprocessing, classes`,
		Example: `  pptsn inspect clip.mp4
  pptsn inspect --json best.pdparams
  pptsn inspect inference/ppTSN`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("inspect needs a file (see pptsn inspect --help)")
			}
			return inspectAll(cmd, args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// A report is what inspect says of one file: its JSON form, and as text.
type report interface {
	text(w io.Writer) error
}

func inspectAll(cmd *cobra.Command, files []string, asJSON bool) error {
	p := newPrinter(cmd.OutOrStdout(), cmd.ErrOrStderr(), asJSON)
	for _, file := range files {
		r, err := inspect(cmd, file)
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		if err != nil {
			if err := p.print(outcome{file: file, err: err}); err != nil {
				return err
			}
			continue
		}
		if err := p.report(r); err != nil {
			return err
		}
	}
	if p.failed > 0 {
		return errReported
	}
	return nil
}

func (p *printer) report(r report) error {
	if p.json {
		return p.line(r)
	}
	b := &bytes.Buffer{}
	if err := r.text(b); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, printable(b.String()))
	return err
}

func inspect(cmd *cobra.Command, file string) (report, error) {
	kind, err := kindOf(file)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "model":
		return inspectModel(file)
	case "checkpoint":
		return inspectCheckpoint(file)
	case "names":
		return inspectNames(file)
	default:
		return inspectVideo(cmd.Context(), file)
	}
}

// kindOf tells by name and, where that says nothing, by the first bytes what a
// file is: "model", "checkpoint", "names" or "video".
func kindOf(file string) (string, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(file + ".pdmodel"); err == nil {
			return "model", nil
		}
	}
	if err != nil {
		return "", err
	}
	for _, k := range []struct{ ext, kind string }{
		{".pdiparams.info", "names"}, {".pdmodel", "model"}, {".pdiparams", "model"}, {".pptsn.json", "model"},
		{".pdparams", "checkpoint"}, {".pdopt", "checkpoint"}, {".pth", "checkpoint"}, {".pt", "checkpoint"}, {".safetensors", "checkpoint"},
	} {
		if strings.HasSuffix(file, k.ext) {
			return k.kind, nil
		}
	}
	if info.IsDir() {
		return "model", nil
	}
	if kind, _ := convert.KindOf(file); kind != "" { // after an error, opening it as a video says why
		return "checkpoint", nil
	}
	return "video", nil
}

// indented is v as JSON for people.
func indented(v any) (string, error) {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent("  ", "  ")
	err := e.Encode(v)
	return strings.TrimSpace(b.String()), err
}
