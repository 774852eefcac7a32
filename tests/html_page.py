"""A page of HTML as a test reads it: what it says, loads, links to and holds for its scripts."""

from html.parser import HTMLParser

LOADS = {"src", "href", "data", "action", "poster", "srcset", "formaction", "background"}


class Page(HTMLParser):
    """What a page says, which elements it has and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []
        self.scripts: list[str] = []
        self.meta: dict[str, str] = {}
        self.style = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")
        if tag == "meta":
            values = dict(attrs)
            name = values.get("name") or values.get("http-equiv") or "charset"
            self.meta[name] = values.get("content") or ""
        for name, value in attrs:
            if name in LOADS:
                (self.links if tag == "a" else self.loads).append(value or "")
            if name == "alt":
                self.alts.append(value or "")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        elif self.cdata_elem == "style":
            self.style += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)
