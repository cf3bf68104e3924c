package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockName is the file that a run holds locked while it writes to its folder.
const lockName = ".pptsn.lock"

// An InUseError reports an output folder that another run writes to.
type InUseError struct {
	Dir   string
	Owner Owner // zero if it could not be read
}

// An Owner is the process that holds a lock.
type Owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
}

func (e *InUseError) Error() string {
	who := "another run"
	if e.Owner.PID != 0 {
		who = fmt.Sprintf("process %d on %s since %s", e.Owner.PID, e.Owner.Host, e.Owner.Started.Format(time.DateTime))
	}
	return fmt.Sprintf("checkpoint: %s is in use by %s: stop it, or choose another folder with -o output_dir=DIR", e.Dir, who)
}

// Lock makes the folder if need be and takes it for this process; the error is
// an *InUseError where another has it. The kernel drops the lock of a process
// that ends, however it ends. The file .pptsn.lock stays and says who had it.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{dir, readOwner(f)}
		}
		return nil, fmt.Errorf("checkpoint: lock %s: %w", f.Name(), err)
	}
	if err := writeOwner(f); err != nil {
		return nil, errors.Join(fmt.Errorf("checkpoint: %w", err), f.Close())
	}
	return func() { f.Close() }, nil
}

func flock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EINTR {
			return err
		}
	}
}

func writeOwner(f *os.File) error {
	host, _ := os.Hostname()
	b, err := json.Marshal(Owner{os.Getpid(), host, time.Now().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

// readOwner may find nothing yet: the owner writes after it has the lock.
func readOwner(f *os.File) (o Owner) {
	b, err := io.ReadAll(io.LimitReader(f, 1<<12))
	if err != nil || json.Unmarshal(b, &o) != nil {
		return Owner{}
	}
	return o
}
