"""One way to solve the exercises of step 18."""

from step18 import config, no_grad


def arrays(n, retain_grad):
    return 2 * (n + 1) if retain_grad else (n + 1) + 1


def graphless(f):
    def quiet(*args, **kwargs):
        with no_grad():
            return f(*args, **kwargs)

    return quiet


class Off:
    def __enter__(self):
        self.before = config.enable_backprop
        config.enable_backprop = False

    def __exit__(self, *error):
        config.enable_backprop = self.before
