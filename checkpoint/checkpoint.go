// Package checkpoint is what a training run leaves in its output folder, and how
// it goes on from there.
//
// A checkpoint is three files of one name, and two for each network that learns
// beside the one that the run is about:
//
//	ppTSN_epoch_00002.pdparams     parameters and running statistics, as paddle.save writes them
//	ppTSN_epoch_00002.pdopt        the optimiser's state under the names that Paddle uses
//	ppTSN_epoch_00002.pptsn.json   what Paddle has no place for (State)
//	ppTSN_epoch_00002_Teacher.pdparams, ppTSN_epoch_00002_Teacher.pdopt
//
// The names are PaddleVideo's: _epoch_00002 after the second epoch, _best for
// the best score. One made within an epoch is _epoch_00002_iter_000120: epoch 2
// is under way and 120 of its iterations are done.
//
// The third file holds sizes and sums of the others and is put in place last,
// so a checkpoint is there with all its files or not at all. A pair without it,
// written by PaddleVideo, can be opened by its name.
//
// Sources: PaddleVideo's paddlevideo/tasks/train.py (the names), Paddle's
// python/paddle/optimizer/optimizer.py (the keys of a .pdopt).
package checkpoint

import (
	"io/fs"

	"github.com/pptsn/pptsn/pdparams"
)

// The extensions of the files.
const (
	paramsExt = ".pdparams"
	optimExt  = ".pdopt"
	stateExt  = ".pptsn.json"
)

// ErrNone reports a folder without a checkpoint to go on from. It is a
// fs.ErrNotExist.
var ErrNone error = noneError{}

type noneError struct{}

func (noneError) Error() string        { return "no complete checkpoint" }
func (noneError) Is(target error) bool { return target == fs.ErrNotExist }

// A Checkpoint is a moment of a training run.
type Checkpoint struct {
	Network
	Peers []Peer // that learn beside Network
	// LRScheduler is the dict that Paddle keeps under LR_Scheduler: last_epoch
	// (the schedule's position) and last_lr. nil where the rate never changes.
	LRScheduler *pdparams.Dict
	State       State
}

// A Network is what is saved of a network that learns.
type Network struct {
	// Params are parameters and running statistics by structured name
	// ("backbone.conv1._conv.weight"), in the order of the network.
	Params []pdparams.Entry
	// ParamNames gives the names that Paddle has for them ("conv2d_0.w_0"). The
	// keys of Optim are made of these.
	ParamNames map[string]string
	// Optim are the optimiser's tensors; see AddSlot and Slots.
	Optim []pdparams.Entry
}

// A Peer is a network that learns beside that of a run. See CheckPeer for its
// name.
type Peer struct {
	Name string
	Network
}

const schedulerKey = "LR_Scheduler"
