"""Compares a folder of pictures with what the ffmpeg tool and Pillow make of a
video: frames.py VIDEO FOLDER EVERY QUALITY. Prints how many are the same."""
import io, os, subprocess, sys
from PIL import Image

video, folder, every, quality = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0"]
w, h = map(int, subprocess.check_output(probe + [video]).decode().strip().split(","))
raw = subprocess.check_output(["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", video, "-fps_mode", "passthrough",
                               "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
frames = [raw[i:i + 3 * w * h] for i in range(0, len(raw), 3 * w * h)][::every]
names = sorted(n for n in os.listdir(folder) if not n.startswith("."))
assert names == ["img_%05d.jpg" % (i + 1) for i in range(len(frames))], names
for name, frame in zip(names, frames):
    b = io.BytesIO()
    Image.frombytes("RGB", (w, h), frame).save(b, "JPEG", quality=quality, subsampling=2)
    assert open(os.path.join(folder, name), "rb").read() == b.getvalue(), name
print(len(frames))
