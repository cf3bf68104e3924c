package pdparams

import "github.com/pptsn/pptsn/pickle"

// A FormatError reports input that is not a valid checkpoint.
type FormatError = pickle.FormatError

// An UnsupportedError reports a valid pickle that holds what this package
// does not read.
type UnsupportedError = pickle.UnsupportedError

// A ForbiddenError reports a pickle that asks for a class or function outside
// the few that Paddle's files need. Python would import and call it.
type ForbiddenError = pickle.ForbiddenError
