package prepare

import (
	"path"
	"slices"
	"strings"
)

// videoExtensions are those of files that are taken from a folder.
var videoExtensions = []string{".avi", ".mp4", ".m4v", ".mkv", ".webm", ".mov", ".gif", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".asf", ".3gp", ".ogv", ".mxf"}

// IsVideo tells by its extension, in any case of letters, whether a file is
// taken for a video.
func IsVideo(name string) bool {
	return slices.Contains(videoExtensions, strings.ToLower(path.Ext(name)))
}

// stem is the last part of a path without its extension.
func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}
