// Package tensorboard writes the event files that TensorBoard shows as curves.
//
// A file is a row of records, each with a length and two masked CRC-32C sums
// (TFRecord), and a record is one Event in protobuf. Covered are scalars
// (Summary.Value.simple_value), the version that opens a file and the mark of a
// restart; graphs, pictures, histograms and all other kinds are not.
//
// A run that goes on writes a new file beside the old ones. TensorBoard reads
// the files of a folder in the order of their names and joins them. So that the
// steps which an interrupted run did after its last checkpoint do not appear
// twice, the new file opens with SessionLog START (see Writer.Restart):
// TensorBoard forgets all older events of that step and later ones. Nothing is
// cut from the old files.
//
// Sources: tensorflow/core/lib/io/record_writer.h (the framing),
// tensorflow/core/util/event.proto, core/framework/summary.proto, and of
// TensorBoard backend/event_processing/event_accumulator.py (what a START does)
// and data/server/reservoir.rs (its fast reader, where the next point of a curve
// has the same effect).
package tensorboard

// version opens every file. From version 2 on TensorBoard obeys START.
const version = "brain.Event:2"

// Field numbers of event.proto and summary.proto.
const (
	eventWallTime    = 1 // double, seconds since 1970
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	eventSessionLog  = 7 // SessionLog

	summaryValue     = 1 // repeated Value
	valueTag         = 1 // string
	valueSimpleValue = 2 // float

	sessionStatus = 1 // enum
	sessionStart  = 1 // START
)

// An Event is one record of a file.
type Event struct {
	WallTime    float64 // seconds since 1970
	Step        int64
	FileVersion string // of the first event of a file, else ""
	Start       bool   // SessionLog START: older events with Step and more are void
	Scalars     []Scalar
}

// A Scalar is a named number. Files hold it as a float32.
type Scalar struct {
	Tag   string // "train/loss"
	Value float32
}
