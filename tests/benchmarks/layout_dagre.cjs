// Lays out a graph with dagre, the engine that Netron uses, and prints its points and its time.
// Usage: node layout_dagre.cjs FOLDER_OF_DAGRE < graph.json
const dagre = require(require.resolve("@dagrejs/dagre", { paths: [process.argv[2]] }));
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const graph = new dagre.graphlib.Graph({ multigraph: true });
graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 32, edgesep: 14 });
graph.setDefaultEdgeLabel(() => ({}));
input.widths.forEach((width, index) => {
  if (width > 0) graph.setNode(String(index), { width, height: input.height });
});
input.pairs.forEach(([source, target], index) =>
  graph.setEdge(String(source), String(target), {}, String(index)));
const began = process.cpuUsage();
dagre.layout(graph);
const used = process.cpuUsage(began);
const lines = graph.edges().map((edge) =>
  [Number(edge.v), Number(edge.w), graph.edge(edge).points.map((point) => [point.x, point.y])]);
console.log(JSON.stringify({ seconds: (used.user + used.system) / 1e6, lines }));
