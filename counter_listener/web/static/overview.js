// The charts of the overview, drawn from the tables below them.
"use strict";

function tone(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function drawChart(place) {
  const rows = [...document.querySelectorAll(`#${place.dataset.chart} tbody tr`)];
  const names = rows.map((row) => row.querySelector("th").textContent.trim());
  const counts = rows.map((row) => Number(row.dataset.count));
  const shares = rows.map((row) => (row.dataset.share === "" ? null : Math.round(Number(row.dataset.share) * 1000) / 10));
  const chart = echarts.getInstanceByDom(place) ?? echarts.init(place);
  const quiet = tone("--quiet");
  const line = { lineStyle: { color: tone("--line") } };
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: quiet },
    grid: { left: 42, right: 34, top: 26, bottom: 24 },
    legend: { top: 0, right: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: quiet } },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: names, axisLine: line, axisTick: { show: false }, axisLabel: { color: quiet, hideOverlap: true, formatter: (name) => name.replace(/^\d{4}-/, "") } },
    yAxis: [
      { type: "value", min: 0, max: 100, interval: 50, axisLabel: { color: quiet, formatter: "{value} %" }, splitLine: line },
      { type: "value", minInterval: 1, splitNumber: 2, axisLabel: { color: quiet }, splitLine: { show: false } },
    ],
    series: [
      { name: place.dataset.count, type: "bar", yAxisIndex: 1, data: counts, barMaxWidth: 18, itemStyle: { color: tone("--line"), borderRadius: [3, 3, 0, 0] } },
      { name: place.dataset.share, type: "line", data: shares, connectNulls: true, symbolSize: 6, lineStyle: { width: 2, color: tone("--accent") }, itemStyle: { color: tone("--accent") } },
    ],
  });
  chart.off("click");
  chart.on("click", (event) => {
    const link = rows[event.dataIndex]?.dataset.link;
    if (link) location.assign(link);
  });
  return chart;
}

const charts = [...document.querySelectorAll("[data-chart]")].map(drawChart);
addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll("[data-chart]").forEach(drawChart));
