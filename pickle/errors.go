package pickle

import "fmt"

// A FormatError reports input that is not a valid file of its kind.
type FormatError struct {
	Offset int64 // in bytes from the start of the file
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Msg) }

// An UnsupportedError reports a valid pickle that holds what the
// machine does not know.
type UnsupportedError struct {
	Offset int64
	What   string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("offset %d: unsupported: %s", e.Offset, e.What)
}

// A ForbiddenError reports a pickle that asks for a class or function that is
// not among the rules. Python would import and call it.
type ForbiddenError struct {
	Offset int64
	Global string // module and name, such as "os.system"
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("offset %d: refuses to call %.200s (a pickle may not run code)", e.Offset, e.Global)
}
