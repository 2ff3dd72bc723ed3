"""What a script saw, as a file for the invariant checker (chronicle_file.h).

    c = Chronicle("full")
    c.started(epoch=1); c.request("p", body); c.reply("p", answer); c.ended("killed")
    c.frame("live", "sub", frame); c.complete("sub")
    problem = c.check(tickbus_check, state_dir)      # None: all is well

A request without a reply counts as unanswered.  The daemon must have stopped before
check(): the checker reads the log itself.
"""
import os
import subprocess
import threading
import time


class Chronicle:
    def __init__(self, durability="full", sync_interval_ms=1000):
        self.lines = ["tickbus-chronicle 1", f"durability {durability} {sync_interval_ms}"]
        self.lock = threading.Lock()

    def say(self, *words):
        with self.lock:
            self.lines.append(" ".join(str(w) for w in words))

    @staticmethod
    def ms():
        return time.time_ns() // 1_000_000

    def bars(self, grace_ms, window_ms, *timeframes_s):
        self.say("bars", grace_ms, window_ms, *timeframes_s)

    def universe(self, timeframe_s, window, min_obs):
        self.say("universe", timeframe_s, window, min_obs)

    def started(self, epoch, last_pos=0, lost_first=0, lost_last=0):
        self.say("start", self.ms(), epoch, last_pos, lost_first, lost_last)

    def ended(self, how):
        """stopped, killed or power"""
        self.say("end", self.ms(), how)

    def request(self, producer, body):
        self.say("request", producer, self.ms(), body.hex())

    def reply(self, producer, body):
        self.say("reply", producer, self.ms(), body.hex())

    def frame(self, how, subscriber, frame):
        """how: seen, live or given"""
        self.say(how, subscriber, frame.hex())

    def complete(self, subscriber):
        self.say("complete", subscriber)

    def check(self, program, state_dir, path=None):
        """None, or what is wrong.  The file stays when something is."""
        path = path or os.path.join(state_dir, "chronicle.txt")
        with self.lock, open(path, "w", encoding="ascii") as out:
            out.write("\n".join(self.lines) + "\n")
        done = subprocess.run([program, "--log", state_dir, "--looked", path], check=False,
                              capture_output=True, text=True)
        self.looked = done.stdout
        if done.returncode == 0:
            os.unlink(path)
            return None
        return f"{path}: {done.stdout}{done.stderr}"
