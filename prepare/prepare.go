// Package prepare turns downloaded archives and folders of clips into what
// package dataset reads: lists of clips with labels, and names of classes.
//
// UCF101, Kinetics and Folder make lists; each returns a report of what is
// missing, double or odd, and the files to write, which Write puts in place.
// Names in lists are relative to the folder of clips, with forward slashes.
package prepare
