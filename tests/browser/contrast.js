// Every text a reader sees, HTML and SVG alike, whose contrast with what is behind it is below 4.5.
// Cells of tables drawn on a canvas have no text to find; marks behind a text of a chart are not seen.
() => {
  const least = 4.5;
  const parsed = (colour) => {
    const inside = colour.match(/rgba?\(([^)]+)\)/);
    if (!inside) return null;
    const [red, green, blue, alpha = 1] = inside[1].split(/[ ,/]+/).map(Number);
    return { parts: [red, green, blue], alpha };
  };
  const over = (top, parts) => parts.map((part, i) => top.parts[i] * top.alpha + part * (1 - top.alpha));
  const luminance = (parts) => {
    const [red, green, blue] = parts
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [brighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (brighter + 0.05) / (darker + 0.05);
  };
  const ancestors = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) found.push(at);
    return found;
  };
  const ground = (element) =>
    ancestors(element)
      .map((one) => parsed(getComputedStyle(one).backgroundColor))
      .filter((colour) => colour && colour.alpha > 0)
      .reverse()
      .reduce((parts, colour) => over(colour, parts), [255, 255, 255]);
  const opacity = (element) =>
    ancestors(element).reduce((product, one) => product * parseFloat(getComputedStyle(one).opacity), 1);

  const pale = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const shown = opacity(element);
    if (style.visibility === "hidden" || box.width < 2 || box.height < 2 || shown === 0) continue;
    const drawing = element.closest("svg");
    const colour = parsed(drawing ? style.fill : style.color);
    if (!colour) continue;
    seen += 1;
    const alpha = colour.alpha * shown * (drawing ? parseFloat(style.fillOpacity) : 1);
    const behind = ground(drawing ? drawing.parentElement : element);
    const reached = contrast(over({ parts: colour.parts, alpha }, behind), behind);
    if (reached < least) pale.push(`${reached.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return { seen, pale };
};
