"""README's table of measured numbers and its gallery, taken from results/ and from the stored outputs."""

import base64

import nbformat

from ..measure import mean_sd, percent
from ..runtime import ROOT, results
from ..show import Table
from .build import SOLUTIONS

GALLERY = ROOT / "docs" / "gallery"
FEW_LABELS = {  # rows of TP 11's table, by their key in results/tp11.json; the notebook has all of them
    "cnn": "CNN", "cnn-augmented": "CNN, augmented", "untrained": "D that has not played (control)",
    "dcgan": "DCGAN's D", "semi-supervised": "semi-supervised GAN", "self-trained": "its sure predictions as labels",
    "spread": "labels spread along a graph, CNN",
}
RESNET_20 = 91.9  # per cent, in the report, at 32 × 32
BEGIN, END = "<!-- measured: written by `make notebooks` from results/ -->\n", "<!-- end of measured -->"


def measured_rows():
    """[what, value, protocol] of the numbers in README."""
    tp07, tp08, tp09, tp10 = (results(name) for name in ("tp07", "tp08", "tp09", "tp10"))
    judge, bench = results("judge"), results("bench")["benchmarks"]
    fooling, under = tp08["fooling"], tp08["accuracy_under_attack"]
    one = tp08["epsilon_255ths"].index(1)
    return [
        ["TP 7: test accuracy on 15-Scene", percent(tp07["test_accuracy"]),
         f"SqueezeNet features, linear SVM, C = {tp07['chosen_c']:g} by cross-validation on the training set"],
        ["TP 7: without leaked twins", percent(tp07["test_accuracy_without_leaked"]),
         f"{tp07['leaked_test_images']} test images are also in the training set"],
        ["TP 7: new last layer alone", percent(tp07["last_layer"]), f"{len(tp07['last_layer'])} seeds"],
        ["TP 7: upper half fine-tuned", percent(tp07["fine_tuning"]), f"{len(tp07['fine_tuning'])} seeds; "
         f"learning rate {tp07['fine_tuning_rate']:g}, chosen on a held-out fifth of the training set"],
        ["TP 7: SqueezeNet before ImageNet", percent(tp07["networks"]["squeezenet1_1, untrained"]), "random weights"],
        ["TP 7: feature extraction", f"{tp07['feature_milliseconds_per_image']:.1f} ms an image", tp07["hardware"]],
        ["TP 8: images fooled within 100 steps", f"{tp08['fooled']} of {tp08['images']}",
         "target: predicted class + 500, a rule kept because it reaches all; "
         f"mean L2 change {fooling['L2']['mean']:.2f} in pixels of [0, 1], "
         f"photographs have {tp08['mean_l2_of_photographs']:.0f}"],
        ["TP 8: random targets reached", f"{tp08['random_targets']['reached']} of {tp08['random_targets']['of']}",
         "four targets an image, drawn once: the fair figure"],
        ["TP 8: accuracy under PGD, ε = 1/255", percent(under["PGD, 10 steps"][one]),
         f"{percent(under['PGD, 10 steps'][0])} without attack, {percent(under['random signs (control)'][one])} "
         "under random changes of the same size"],
        ["The judge of generated digits", f"{100 * judge['test_accuracy']:.2f} %",
         f"test accuracy, {judge['parameters']:,} weights; {judge['protocol']}"],
        *games_rows(tp09, tp10),
        *few_labels_rows(results("tp11")["cells"]),
        *cats_rows(results("tp12")),
        *residual_rows(results("tp13"), results("tp13_leak")),
        *vae_gan_rows(results("tp14")),
        ["A step of Algorithm 1", f"{bench['game']['median']:.0f} ms",
         f"DCGAN, 128 images; the usual loop {bench['usual_game']['median']:.0f} ms (DataLoader, two passes of G, "
         ".item()), side by side in one run of `make bench`"],
    ]


def games_rows(tp09, tp10):
    """The rows of TP 9 and TP 10."""
    runs, default = tp09["default"]["measured"], tp09["default"]
    distance, floor = (mean_sd([run[key] for run in runs]) for key in ("frechet", "floor"))
    covered = min(len(run["covered"]) for run in runs)
    seeds = f"{len(runs)} seeds"
    return [
        ["TP 9: DCGAN, classes covered", f"{covered} of {runs[0]['classes']}",
         f"worst of {seeds}; {default['steps']} steps of {default['batch_size']} images"],
        ["TP 9: DCGAN, Fréchet distance", f"{distance[0]:.1f} ± {distance[1]:.1f}",
         f"{seeds}, judge's features, 2000 images; real images against real ones: {floor[0]:.2f}"],
        *[[f"TP 10: {name}, read as asked", percent([run["read_as_asked"] for run in game["runs"]]),
           f"{len(game['runs'])} seeds, by the judge; {game['steps']} steps of {game['batch_size']} images; learning "
           "rates set after trials on these seeds"]
          for name, game in tp10["games"].items()],
    ]


def few_labels_rows(cells):
    """The rows of TP 11 that are measured."""
    found = []
    for row, name in FEW_LABELS.items():
        runs = {draw: [one["test_accuracy"] for one in cells if (one["row"], one["draw"]) == (row, draw)]
                for draw in ("random", "balanced")}
        if all(len(values) > 1 for values in runs.values()):
            found.append([f"TP 11: {name}", percent(runs["random"]),
                          f"{len(runs['random'])} random draws of 100 labels; 10 per class: "
                          f"{percent(runs['balanced'])} ({len(runs['balanced'])} draws)"])
    return found


def cats_rows(tp12):
    """The rows of TP 12."""
    runs, rates = tp12["long"]["measured"]["DCGAN, long"], tp12["rates"]
    distance, floor = (mean_sd([run[key] for run in runs]) for key in ("frechet", "floor"))
    return [
        ["TP 12: real cats called cats", percent(rates["real cats, 64 × 64"]),
         f"by {tp12['judge']}, at 64 × 64; the same cats at 32 × 32: {percent(rates['real cats, 32 × 32'])}, generated "
         f"ones: {percent([run['cat_rate'] for run in runs])}: at that size this judge is blind"],
        ["TP 12: DCGAN, Fréchet distance", f"{distance[0]:.0f} ± {distance[1]:.0f}",
         f"{len(runs)} seeds, judge's features, {tp12['images']} images; real cats against real ones: {floor[0]:.1f}"],
    ]


def residual_rows(tp13, leak):
    """The rows of TP 13."""
    found, split, recipe = tp13["test_accuracy"], leak["accuracy"]["none"], tp13["recipe"]
    size, images = f"{tp13['size']} × {tp13['size']}", f"{recipe['batch_size']} images"
    return [
        *[[f"TP 13: {name}, test accuracy", percent(found[name]),
           f"{len(tp13['seeds'])} seeds; CIFAR-10 at {size}, {recipe['steps']} steps of {images}; the plain network of "
           f"that depth: {percent(found[name.replace('ResNet', 'plain')])}"] for name in ("ResNet-20", "ResNet-56")],
        ["TP 13: ResNet-20 at 32 × 32", percent(tp13["at_32"]["test_accuracy"][0]),
         f"one seed; {tp13['at_32']['steps']} steps of {images} (the report: {RESNET_20} %)"],
        ["TP 13: Dataset X, random split", percent(split["random"]),
         f"{len(leak['volumes'])} synthetic volumes; by region {percent(split['by region'])}: the rest is a leak"],
    ]


def vae_gan_rows(tp14):
    """The rows of TP 14."""
    found = {name: mean_sd([run["frechet"] for run in runs]) for name, runs in tp14["measured"].items()}
    return [[f"TP 14: {name}, Fréchet distance", f"{mean:.1f} ± {sd:.1f}",
             f"{len(tp14['seeds'])} seeds, judge's features; {tp14['steps']} steps of {tp14['batch_size']} images"]
            for name, (mean, sd) in found.items()]


def update_readme():
    """Write the table into README.md and the figures tagged `gallery` to docs/gallery; returns what was written."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + measured_table() + END + after, encoding="utf-8")
    GALLERY.mkdir(parents=True, exist_ok=True)
    pictures = [found for path in sorted(SOLUTIONS.glob("tp*.ipynb")) if (found := gallery_picture(path))]
    for name, data in pictures:
        (GALLERY / name).write_bytes(data)
    return [readme, *(GALLERY / name for name, _ in pictures)]


def measured_table():
    """README's table, as markdown."""
    return Table(["what", "measured", "how"], measured_rows())._repr_markdown_() + "\n"


def gallery_picture(path):
    """(file name, bytes) of the stored figure of a solution notebook's cell tagged `gallery`; None before
    `make outputs` has stored one."""
    (cell,) = (cell for cell in nbformat.read(path, 4).cells if "gallery" in cell.metadata.get("tags", ()))
    return next(((f"{path.stem[:4]}.{kind[6:]}", base64.b64decode(output.data[kind])) for output in cell.outputs
                 for kind in ("image/jpeg", "image/png") if kind in output.get("data", ())), None)
