// Study measures what each part of PP-TSN is worth on a folder of clips that is
// small enough for two cores, and keeps the table of docs/accuracy.md.
//
//	go run ./study rates   look for the learning rates of TSN and PP-TSN
//	go run ./study run     train and test all variants, seed by seed
//	go run ./study table   write the tables of docs/accuracy.md from the results
//
// It runs the command pptsn as a user would, on configurations that it writes
// into its work folder. Each finished run is one JSON file; what is there is
// not done again, so a run that was stopped goes on with the same command.
//
// Clips are dealt into folds: seed s trains on all but fold s and is tested on
// fold s, so each clip is judged once by each variant, by a network that saw
// nothing of its footage.
package main
