package pdparams

// WriteSplit is Write with another size from which tensors are split, so that
// a test does not need a tensor of 1 GiB.
var WriteSplit = write
