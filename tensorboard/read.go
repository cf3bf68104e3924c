package tensorboard

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// ReadFile reads an event file and checks its sums. On an error it returns the
// events before it too; the error wraps io.ErrUnexpectedEOF where the file ends
// within a record, as one does whose writer was killed.
func ReadFile(path string) ([]Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := Read(f)
	if err != nil {
		return events, fmt.Errorf("tensorboard: %s: %w", path, err)
	}
	return events, nil
}

// Read is ReadFile for a stream.
func Read(r io.Reader) ([]Event, error) {
	in := bufio.NewReader(r)
	for events := []Event(nil); ; {
		data, err := readRecord(in)
		if err == io.EOF {
			return events, nil
		}
		var e Event
		if err == nil {
			e, err = parseEvent(data)
		}
		if err != nil {
			return events, fmt.Errorf("record %d: %w", len(events), err)
		}
		events = append(events, e)
	}
}
