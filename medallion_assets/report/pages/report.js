// Draws the charts in the colours of the page, and again when it turns from light to dark or back.
const dark = matchMedia("(prefers-color-scheme: dark)");

function draw() {
  const style = getComputedStyle(document.documentElement);
  const [ink, card, line] = ["--ink", "--card", "--line"].map((name) => style.getPropertyValue(name).trim());
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line };
  for (const place of document.querySelectorAll(".chart")) {
    const { data, layout } = JSON.parse(place.nextElementSibling.textContent);
    const coloured = {
      ...layout,
      paper_bgcolor: card,
      plot_bgcolor: card,
      font: { color: ink, size: 12, family: "system-ui, sans-serif" },
      hoverlabel: { bgcolor: card, bordercolor: line, font: { color: ink } },
      xaxis: { ...layout.xaxis, ...axis },
      yaxis: { ...layout.yaxis, ...axis },
    };
    Plotly.react(place, data, coloured, { displayModeBar: false, responsive: true });
  }
}

const days = document.querySelector(".heat").parentElement;
days.scrollLeft = days.scrollWidth; // the newest days first, where not all are in sight
dark.addEventListener("change", draw);
draw();
