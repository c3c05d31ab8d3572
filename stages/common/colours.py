"""The colours of the classes, the same in the pictures and on the page."""

# Ten colours chosen by a max-min search in OKLab (Ottosson 2020): the two closest lie 0.18 apart for normal sight and
# 0.11 apart under full deuteranopia or protanopia (simulated after Machado et al. 2009, doi:10.1109/TVCG.2009.113);
# each is legible on white and on NIGHT. Neighbouring numbers contrast most.
CLASS_COLOURS: tuple[str, ...] = (
    "#1861ce",
    "#aa6d00",
    "#6db655",
    "#f3aab6",
    "#9e0c00",
    "#b686ff",
    "#f3ce31",
    "#008679",
    "#793186",
    "#18dbff",
)
UNKNOWN_COLOUR = "#9aa1a9"  # images without a label (-1)


def class_colour(label: int) -> str:
    """Return the hex colour of class `label`; -1 (unknown) is grey.

    Past ten classes the colours repeat: first mixed half with white, then with 45 % black, then as they are.
    """
    if label < 0:
        return UNKNOWN_COLOUR
    colour, turn = CLASS_COLOURS[label % len(CLASS_COLOURS)], label // len(CLASS_COLOURS) % 3
    share, towards = ((0.0, 0), (0.5, 255), (0.45, 0))[turn]
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * channel + share * towards):02x}" for channel in channels)
