"""Can we draw any network, just as it ran?

Steps 26, 35 and 45 drew formulas, derivatives and layers. Here are networks that people draw in papers: attention, a transformer, a generator and its
opponent, a variational autoencoder. Nothing is drawn by hand: each picture is a run. So a picture can answer questions that a diagram cannot:
which weights does this loss reach? What is different between two versions? We count first, and look afterwards.
"""

from xml.etree import ElementTree

import numpy as np

from support import run

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Parameter, Variable, grad
from dezero.models import GPT, MLP, VAE, Discriminator, Generator
from dezero.viz import collect_graph, diff, dot_graph, get_svg_graph, make_view, to_html


def named(y, name):
    y.name = name
    return y


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


# %% Attention, with names
# Attention lets each word of a sentence look at the others. From each word come three vectors: a query Q (what do I look for?), a key K (what have I
# got?) and a value V (what do I tell?). Q·K of two words is a score, softmax makes weights of the scores in a row, and each word gets the mean
# of all values with these weights. In symbols softmax(Q Kᵀ / √d) V, where d is the length of a key.
#
# The picture gets its words from us: a name for each variable that a reader should find. With ``verbose=False`` shapes are left away, as in papers.


def attention():
    x, W = Variable(noise(5, 8), name="words"), 0.3 * noise(3, 8, 8)
    Q, K, V = (named(F.matmul(x, Parameter(W[i], name=f"W{name}")), name) for i, name in enumerate("QKV"))
    scores = named(F.matmul(Q, K.T) / 8**0.5, "scores")
    weights = named(F.softmax(scores, axis=-1), "weights")
    y = named(F.matmul(weights, V), "y")
    ready = F.scaled_dot_product_attention(Q[None, None], K[None, None], V[None, None])
    return y, float(np.abs(ready.data[0, 0] - y.data).max())


# %% A layer, a block, a transformer
# The layer ``MultiHeadAttention`` does it several times side by side. A block of a transformer has one such layer and a small network, each with a
# way round it: ``x + f(x)``. A transformer is a dozen equal blocks. Drawn in full that is 688 nodes, which nobody reads. ``collapse=True`` draws
# each layer as one box, ``fold=True`` draws what repeats once, as a stack of cards with ×12 on it.


def heads():
    np.random.seed(0)
    return named(L.MultiHeadAttention(8, heads=2)(Variable(noise(1, 5, 8), name="words")), "y")


def block(norm_first=True):
    np.random.seed(0)
    return named(L.TransformerEncoderLayer(8, 2, dropout_ratio=0, norm_first=norm_first)(Variable(noise(1, 5, 8), name="words")), "y")


def transformer():
    np.random.seed(0)
    return named(GPT(vocab_size=50, context=8, embed_size=16, num_layers=12)(np.arange(8)[None]), "scores")


# %% Two that play against each other
# A generator makes images from noise, and a discriminator says how real an image looks. One learns to fool, the other not to be fooled. Both losses
# come from the same two networks, and that is where mistakes happen: who is to learn from which loss? Ask the graphs.
#
# The generator's loss goes through the discriminator, so it reaches the weights of both, and its optimizer must be set up with those of the
# generator only. The discriminator's loss should not reach the generator at all. ``detach`` cuts the graph there. Without it nothing fails. But
# gradients for the generator are computed, and they point the wrong way: the cosine of the angle to those of its own loss is close to -1. In the
# picture a small grey x enters the discriminator on the right: that is all that detach leaves of the generator.


class Game(Model):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = Generator(image_size=8, channels=8), Discriminator(channels=4)

    def forward(self, z, real, cut=True):
        fake = self.generator(z)
        yes, no = np.ones((len(z), 1), int), np.zeros((len(z), 1), int)
        fools = F.sigmoid_cross_entropy(self.discriminator(fake), yes)
        told = F.sigmoid_cross_entropy(self.discriminator(real), yes)
        caught = F.sigmoid_cross_entropy(self.discriminator(fake.detach() if cut else fake), no)
        return named(fools, "generator loss"), named(told + caught, "discriminator loss")


def game(cut=True, net=None):
    np.random.seed(0)
    return (net or Game())(Variable(noise(4, 6), name="noise"), Variable(noise(4, 1, 8, 8), name="photos"), cut)


def cosine_without_detach():
    net = Game()
    losses = game(False, net)
    gradients = [np.concatenate([g.data.ravel() for g in grad(loss, list(net.generator.params()), retain_graph=True)]) for loss in losses]
    return float(gradients[0] @ gradients[1] / np.prod([np.linalg.norm(g) for g in gradients]))


def reached(y, *parts):
    """How many parameters of each part of a model a gradient of y would reach."""
    paths = [node.layer for node in collect_graph(y).variables if node.kind == "parameter"]
    return [sum(path.startswith(part) for path in paths) for part in parts]


# %% Chance with a gradient
# A variational autoencoder squeezes an image into a few numbers, and back. The encoder gives a mean and a spread, the code is drawn from there by
# lot, and the decoder makes an image of it. But what is drawn by lot has no gradient: who draws z with NumPy cuts the graph, and the encoder learns
# nothing from the image that comes out. So the lot is drawn beside the road: z = mean + spread · noise, where the noise is a constant (in the
# picture grey, with a dashed border), and the gradient goes past it, to mean and spread.


class CutVAE(VAE):
    def sample(self, mean, log_var, seed=None):
        return Variable(np.random.default_rng(0).normal(mean.data, np.exp(log_var.data / 2)).astype(np.float32), name="z")


def autoencoder(kind=VAE):
    np.random.seed(0)
    return named(kind(64, (16,), 2)(Variable(np.abs(noise(4, 64)), name="image")), "rebuilt image")


# %% A gradient inside of a loss
# Step 36 asked a critic to have the slope 1, by a loss that has a gradient in it. Drawn, each pass has its own colour: what ran forward is blue, what
# the first backward added is green. If the loss were a picture in one colour only, ``create_graph=True`` would be missing.


def penalty():
    np.random.seed(0)
    x = Variable(noise(4, 2), name="x")
    score = named(F.sum(MLP((8, 1), activation=F.tanh)(x)), "score")
    gx = named(grad(score, x, create_graph=True), "gx")
    return named(F.mean((F.sqrt(F.sum(gx**2, axis=1)) - 1) ** 2), "penalty")


# %% The gallery
# ``make_view`` says how many nodes a picture will have, before it is drawn. We make each picture as text, read the text as XML, as a browser
# would, and count the nodes in it: what is drawn is what was counted. Frames are the layers.

PICTURES = {
    "attention": (lambda: attention()[0], {"verbose": False}),
    "heads": (heads, {"show": "shape"}),
    "block": (block, {"collapse": True}),
    "transformer": (transformer, {"collapse": True, "fold": True}),
    "game": (game, {"collapse": True, "show": "layer"}),
    "autoencoder": (autoencoder, {"collapse": ["encoder", "decoder"], "show": "shape"}),
    "penalty": (penalty, {"verbose": False, "clusters": False}),
}


def in_picture(svg, word):
    return sum(element.get("class", "").split(" ")[0] == word for element in ElementTree.fromstring(svg).iter())


def show_gallery():
    print("picture      nodes functions parameters drawn: nodes frames  options")
    found, pictures = {}, {}
    for name, (make, options) in PICTURES.items():
        y = make()
        graph, view = collect_graph(y), make_view(y, **options)
        pictures[name] = get_svg_graph(view)
        counts = {"nodes": len(graph.nodes), "functions": len(graph.functions), "parameters": sum(v.kind == "parameter" for v in graph.variables),
                  "counted": len(view.graph.nodes), "drawn": in_picture(pictures[name], "node"), "frames": in_picture(pictures[name], "layer")}
        print(f"{name:12} {counts['nodes']:5} {counts['functions']:9} {counts['parameters']:10} {counts['drawn']:12} {counts['frames']:6}  "
              + ", ".join(f"{key}={'+'.join(value) if isinstance(value, list) else value}" for key, value in options.items()))
        found[name] = counts
    return found, pictures


# %% What the graphs know
# A parameter gets a gradient from a loss if there is a way from it to the loss. So the graph knows it before any backward. The table counts, for
# each loss, how many parameters of each part are in its graph.


def show_reach():
    print("\na gradient of                           reaches")
    generator, discriminator = game()
    rows = {"generator loss": reached(generator, "generator", "discriminator"),
            "discriminator loss": reached(discriminator, "generator", "discriminator"),
            "discriminator loss without detach": reached(game(False)[1], "generator", "discriminator")}
    for name, (of_generator, of_discriminator) in rows.items():
        print(f"{name:39} {of_generator} of 8 of the generator, {of_discriminator} of 6 of the discriminator")
    for name, kind in (("rebuilt image, lot beside the road", VAE), ("rebuilt image, z drawn with NumPy", CutVAE)):
        encoder, decoder = rows[name] = reached(autoencoder(kind), ("encoder", "mean", "log_var"), "decoder")
        print(f"{name:39} {encoder} of 6 of the encoder, {decoder} of 4 of the decoder")
    cosine = cosine_without_detach()
    print(f"without detach the generator's gradients of the two losses are opposite: cosine {cosine:.2f}")
    return {"reached": rows, "cosine": cosine}


# %% What is different?
# The first transformers normalised behind each shortcut, newer ones in front of what is added. ``diff`` compares two runs and lists what has changed,
# and a picture shows both at once: what was added wears a plus sign, what has changed a tilde.


def show_differences():
    apart = attention()[1]
    norm, cut = diff(block(), block(norm_first=False)), diff(game()[1], game(False)[1])
    print(f"\nour attention and F.scaled_dot_product_attention: {'the same' if apart < 1e-6 else 'not the same'} to 6 digits")
    print(f"norm first against norm last:   {str(norm).splitlines()[0]}")
    print(f"  for example {str(norm).splitlines()[4]}")
    print(f"detach against no detach:       {str(cut).splitlines()[0]}")
    return {"apart": apart, "norm": str(norm).splitlines(), "cut": str(cut).splitlines()}


# %% Pictures for a paper
# A paper wants few words, no dark mode and often the way from left to right. ``theme="light"`` leaves the dark colours out. ``dot_graph`` gives
# the graph to Graphviz, which has a setting for everything, direction too, and makes PDF. Where Graphviz is not installed, its text still can be
# written, and taken along to a machine that has it. SVG is text too: any drawing program opens it and moves what you want elsewhere.
#
# Run with ``--out`` and open the pictures; attention.html plays the run, forward and backward.


def for_a_paper():
    y = attention()[0]
    dot = dot_graph(y, verbose=False)
    dot.attr(rankdir="LR")
    return get_svg_graph(y, verbose=False, theme="light"), dot.source


def save(out, pictures):
    for name, svg in pictures.items():
        (out / f"{name}.svg").write_text(svg, encoding="utf-8")
    svg, dot = for_a_paper()
    (out / "paper.svg").write_text(svg, encoding="utf-8")
    (out / "paper.dot").write_text(dot, encoding="utf-8")
    diff(block(), block(norm_first=False)).save(out / "norm.svg")
    to_html(attention()[0], out / "attention.html")


def main(out=None, fast=False):
    found, pictures = show_gallery()
    numbers = {"pictures": found, **show_reach(), **show_differences()}
    svg, dot = for_a_paper()
    dark = ["prefers-color-scheme" in text for text in (pictures["attention"], svg)]
    print(f"dark colours in the text of attention: {dark[0]}, with theme='light': {dark[1]}; Graphviz text: {len(dot.splitlines())} lines")
    if out:
        save(out, pictures)
    return {**numbers, "dark": dark, "dot": dot, "svg": pictures}


# %% Exercises: python -m steps.check w12 my_answer.py
# 1. ``gated(x, a, b)``: a layer that opens and closes: tanh(x @ a) * sigmoid(x @ b) of Variables. Name the two factors "value" and "gate" and the
#    result "y", so that its picture can be read.
# 2. ``untouched(model, loss)``: the names (as in ``model.named_params()``) of the parameters that a gradient of loss does not reach, as a list.
# 3. ``smallest(y, limit)``: options (a dict) for ``make_view`` with which the graph of y has at most limit nodes. Try {}, {"fold": True},
#    {"collapse": True} and {"collapse": True, "fold": True} in this order, and return the first that is small enough; None if none is.

if __name__ == "__main__":
    run(main)
