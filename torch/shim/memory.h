// keep_memory makes libtorch take the memory of tensors on the CPU from a pool
// that keeps it for the next step. It may be called again.
void keep_memory();
