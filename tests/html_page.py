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
        self.tables: list[list[list[str]]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._in_cell = True
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

    def handle_endtag(self, tag):
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self._in_cell:
            self.tables[-1][-1][-1] += data
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        elif self.cdata_elem == "style":
            self.style += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    def column(self, name: str) -> list[str]:
        """The cells below a head, of the first table that has it."""
        header, *body = next(rows for rows in self.tables if name in rows[0])
        return [cells[header.index(name)] for cells in body]

    @property
    def text(self) -> str:
        return " ".join(self.words)
