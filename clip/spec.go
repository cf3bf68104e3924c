// Package clip turns a video into the network's input: which frames, which
// crops, normalised.
//
// The letters used throughout: T sampled frames, V views (one view is one crop
// of one frame), H and W pixels. The result is float32 [V, 3, H, W], the
// channels in the order red, green, blue.
package clip

import (
	"context"

	"github.com/pptsn/pptsn/frame"
)

// A Source gives frames by their number, counted from 0 in presentation order.
// A video file and a folder of numbered pictures both are one.
type Source interface {
	// Len is the number of frames as far as is known. A damaged file may turn
	// out to have fewer once it is decoded: then Frames fails and Len changes.
	Len() int
	// Frames returns one picture for each index, in the order asked for; equal
	// indices may share a picture, which callers must not change.
	Frames(ctx context.Context, indices []int) ([]*frame.RGB, error)
}

// A Spec is the whole preprocessing of one use (train, validation, test,
// inference). It is plain data: it comes from a configuration file and travels
// with an exported model as JSON.
type Spec struct {
	Sampling Sampling `json:"sampling"`
	Steps    []Step   `json:"steps"` // in order; ends with Normalize
}

// A Mode names a rule that chooses frames.
type Mode string

// The rules of PaddleVideo's Sampler that PP-TSN's and TSN's configurations use.
const (
	SelectLeft Mode = "select_left" // centre of each of k equal segments; clips of k frames or fewer repeat frame 0
	Linspace   Mode = "linspace"    // k frames spread evenly from the first to the last
	Plain      Mode = "plain"       // centre of each of k segments of floor(n/k) frames
)

// Sampling chooses one frame from each of Segments segments.
type Sampling struct {
	Mode     Mode `json:"mode"`
	Segments int  `json:"segments"`         // k > 0
	Random   bool `json:"random,omitempty"` // a random frame of each segment, for training; not with Linspace
}

// A Step is one operation on all frames of a clip; exactly one field is set.
type Step struct {
	Scale          *Scale          `json:"scale,omitempty"`
	MultiScaleCrop *MultiScaleCrop `json:"multi_scale_crop,omitempty"`
	CenterCrop     *CenterCrop     `json:"center_crop,omitempty"`
	TenCrop        *TenCrop        `json:"ten_crop,omitempty"`
	RandomFlip     *RandomFlip     `json:"random_flip,omitempty"`
	Normalize      *Normalize      `json:"normalize,omitempty"`
}

// A Backend names the library whose resizing is matched bit for bit.
type Backend string

// The two backends of the reference.
const (
	OpenCV Backend = "opencv" // cv2.resize, bilinear without antialiasing
	Pillow Backend = "pillow" // Image.resize, bilinear with antialiasing
)

// Scale resizes so that the shorter side is ShortSide pixels.
type Scale struct {
	ShortSide  int     `json:"short_side"`
	FixedRatio bool    `json:"fixed_ratio"` // 4:3 whatever the source's shape: the longer side becomes ShortSide*4/3
	Round      bool    `json:"round"`       // round the longer side to nearest, else truncate; no effect with FixedRatio
	Backend    Backend `json:"backend"`
}

// MultiScaleCrop cuts a random box, the same from all frames, and resizes it to Size x Size.
type MultiScaleCrop struct {
	Size             int       `json:"size"`
	Scales           []float64 `json:"scales"`            // shares of the short side, largest first
	MaxDistort       int       `json:"max_distort"`       // how many scales width and height may be apart
	FixedPositions   bool      `json:"fixed_positions"`   // choose among fixed positions, else anywhere
	AllowDuplication bool      `json:"allow_duplication"` // keep positions that coincide
	MorePositions    bool      `json:"more_positions"`    // 13 fixed positions instead of 5
	Backend          Backend   `json:"backend"`
}

// CenterCrop cuts the central Size x Size box.
type CenterCrop struct {
	Size  int  `json:"size"`
	Round bool `json:"round"` // corner rounded half to even, else down
}

// TenCrop cuts the four corners and the centre, Size x Size, each also
// mirrored: ten views a frame, in the order
// view = (2*corner + mirrored)*T + frame.
type TenCrop struct {
	Size int `json:"size"`
}

// RandomFlip mirrors all frames of a clip, or none.
type RandomFlip struct {
	Probability float64 `json:"probability"`
}

// Normalize maps a byte p of channel c to (p/255 - Mean[c]) / Std[c], each
// operation in float32.
type Normalize struct {
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}
