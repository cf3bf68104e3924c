package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/pptsn/pptsn/atomicfile"
	"github.com/pptsn/pptsn/checkpoint"
)

// rewind makes the file what it was when the checkpoint was saved. Without
// iterations to keep the file is put aside instead.
func rewind(path string, from checkpoint.State) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if from.Total == 0 && len(old) > 0 {
		return os.Rename(path, path+".old")
	}
	kept := make([]byte, 0, len(old))
	for line := range bytes.Lines(old) {
		if isOf(line, from) {
			kept = append(kept, line...)
		}
	}
	if len(kept) == len(old) {
		return nil
	}
	return atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(kept); return err })
}

// isOf says whether a line was written before the checkpoint. What a kill cut
// off was not. The means of an epoch stand at its last iteration, but a
// checkpoint of that iteration may be from before they were taken. Those of
// finished epochs may count iterations of another number of processes.
func isOf(line []byte, from checkpoint.State) bool {
	var m metric
	if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &m) != nil {
		return false
	}
	return m.Epoch <= from.Epochs || m.Step <= from.Total && m.Split == string(SplitTrain)
}
