"""Prints log lines by PaddleVideo's own code, for testdata/lines.txt.

Run: python3 lines.py PADDLEVIDEO/paddlevideo/utils/record.py > lines.txt
and once more with "colored" behind the path for lines-colored.txt, with a
checkout of PaddleVideo (commit ed245e9c). Paddle itself is not needed: a
stand-in says that no GPU is there.
"""
import os
import sys
import types

os.environ["COLORING"] = sys.argv[2] if len(sys.argv) > 2 else ""

paddle = types.ModuleType("paddle")
paddle.Tensor = type("Tensor", (), {})
paddle.device = types.SimpleNamespace(is_compiled_with_cuda=lambda: False)
sys.modules["paddle"] = paddle


class Logger:
    def info(self, text):
        print(text)


def coloring(message, color="OKGREEN"):
    codes = {"RED": "31", "HEADER": "35", "PURPLE": "95", "OKGREEN": "92"}
    return "\033[" + codes[color] + "m" + str(message) + "\033[0m" if os.environ["COLORING"] else message


logger = types.ModuleType("pv.logger")
logger.get_logger, logger.coloring = lambda name: Logger(), coloring
pv = types.ModuleType("pv")
pv.__path__ = []
sys.modules.update({"pv": pv, "pv.logger": logger})
record = types.ModuleType("pv.record")
record.__package__ = "pv"
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), record.__dict__)

cfg = types.SimpleNamespace(framework="Recognizer2D", get=lambda key: None)


def run(mode, epoch, epochs, batches, clips, eta=None):
    rows = record.build_record(cfg)
    if mode == "val":
        rows.pop("lr")
    for step, (loss, lr, top1, top5, took, waited) in batches:
        rows["loss"].update(loss, clips)
        if mode == "train":
            rows["lr"].update(lr, clips)
        rows["top1"].update(top1, clips)
        rows["top5"].update(top5, clips)
        rows["reader_time"].update(waited)
        rows["batch_time"].update(took)
        ips = "ips: {:.5f} instance/sec{}".format(clips / took, "," if mode == "train" else ".")
        record.log_batch(rows, step, epoch, epochs, mode, ips, eta)
    # What END calls avg_batch_cost is the last batch's, here made the mean.
    rows["batch_time"].val, rows["reader_time"].val = rows["batch_time"].avg, rows["reader_time"].avg
    time = rows["batch_time"]
    record.log_epoch(rows, epoch, mode, "avg_ips: {:.5f} instance/sec.".format(clips * time.count / time.sum))


# eta: 99 epochs of 4 batches, and the batches left, at the mean so far.
run("train", 1, 100, [(0, (5.99146, 0.005, 0, 0.03125, 0.5, 0.25))], 32, 399 * 0.5)
run("train", 12, 100, [(20, (12.5, 0.0000004, 1, 1, 64, 0))], 32, (88 * 2000 + 1979) * 64)
run("val", 3, 80, [(0, (0.25, 0, 0.8438, 0.97393, 0.125, 0.0625)), (1000, (110.75, 0, 0.5, 1, 0.375, 0))], 4)
