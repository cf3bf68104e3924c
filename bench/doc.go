// Package bench compares the project's engines with others on the same network
// and inputs, in the same run and in turns, so that what else the machine does
// falls on both. It holds benchmarks only:
//
//	go test ./bench -bench . -timeout 30m
//
// Each metric is a median: ms/frame and GFLOP/s of either engine, the spread
// (half the samples lie within so many percent) and the ratio of the times of
// one turn, above 1 where ours is faster. Nothing else should run on the
// machine meanwhile.
package bench
