// Words: all that the page says, in English and in Korean.

const WORDS = {
  en: {
    other: "한국어", skip: "Skip the picture", search: "Search by name ( / )", searchShort: "Search", theme: "Light or dark", language: "한국어로 보기", help: "Keys and help ( ? )",
    picture: "Picture of the graph", zooming: "Zoom", closer: "Zoom in ( + )", farther: "Zoom out ( − )", fit: "Whole picture ( 0 )",
    player: "Player", first: "To the start (Home)", previous: "One step back (←)", play: "Play (space)", pause: "Pause (space)",
    next: "One step on (→)", last: "To the end (End)", slider: "Step", speed: "Speed", panel: "Details", card: "About this node",
    tabs: { step: "Step", explain: "Explain", look: "Look here", layers: "Layers", notes: "About" },
    start: "Start", forward: "Forward", backward: "Backward", of: (k, n) => `${k} of ${n}`,
    begin: (n, m) => `${n} ${n === 1 ? "step" : "steps"} forward, then ${m} back. Press → or space.`,
    nothing: "There is no function here, so there is nothing to play.",
    goesIn: "What goes in", in: "In", out: "Out", comesBack: "Gradient that arrives", sends: "Gradient that it sends", sums: "Gradients add up",
    takes: (name, ins, outs) => `${name} takes ${ins} and gives ${outs}.`,
    hands: (name, gets, sent) => `${name} gets ${gets} and sends ${sent}.`,
    to: (value, name) => `${value} to ${name}`, and: (some) => some.length > 1 ? `${some.slice(0, -1).join(", ")} and ${some.at(-1)}` : some[0] ?? "nothing",
    from: "from", seed: "where backward starts", coming: "still to come", soFar: "so far",
    unknown: "not known", value: "Value", gradient: "Gradient", noGradient: "no gradient flows here",
    kinds: { leaf: "variable", parameter: "parameter", result: "result", constant: "constant", function: "function", group: "collapsed part" },
    order: (k) => k === 1 ? "1st derivative" : k === 2 ? "2nd derivative" : k === 3 ? "3rd derivative" : `${k}th derivative`,
    mean: "mean", std: "std", min: "min", max: "max", zeros: "zeros", corners: "Corners",
    goTo: "Go to its step", explainIt: "Explain its gradient", close: "Close", settings: "Settings",
    holds: (f, p, n, times) => `${f} ${f === 1 ? "function" : "functions"}${p ? `, ${p} parameters (${n} numbers)` : ""}${times > 1 ? `, ${times} times` : ""}`,
    found: (k, n) => n ? `${k} of ${n}` : "nothing", explainWhat: "Gradient of", unexplained: (n) => `${n} more are not explained here: use dezero.viz.explain.`,
    headings: [],
    marks: { nan: "holds NaN", inf: "holds infinity", huge: "is huge (above 1e6)", zero: "is zero throughout" },
    looks: "Numbers that often mean trouble, in the order in which they come up:", view: "Drawing", folded: "collapsed", open: "open", boxes: "Layers", groups: "Collapsed parts",
    counts: (f, v) => `${f} functions, ${v} variables`, limited: (n) => `Arrays of up to ${n} numbers are here in full, larger ones as statistics.`,
    colours: "Blue rings: forward. Orange rings: backward. Pale: not reached yet.",
    help_title: "Keys", close_help: "Close",
    keys: [["→ ←", "next and previous step"], ["space", "play and pause"], ["Home End", "start and end"], ["+ − 0", "zoom in, out, whole picture"],
      ["/", "search; Enter jumps to the next hit"], ["Tab", "from node to node; Enter opens its card"], ["Esc", "close"], ["?", "these keys"]],
    mouse: "Drag moves the picture, the wheel zooms, a click on a node keeps its card open, a double click goes to its step.",
  },
  ko: {
    other: "English", skip: "그림 건너뛰기", search: "이름으로 찾기 ( / )", searchShort: "찾기", theme: "밝게 / 어둡게", language: "View in English", help: "단축키와 도움말 ( ? )",
    picture: "계산 그래프 그림", zooming: "확대와 축소", closer: "확대 ( + )", farther: "축소 ( − )", fit: "전체 보기 ( 0 )",
    player: "재생", first: "처음으로 (Home)", previous: "이전 단계 (←)", play: "재생 (space)", pause: "멈춤 (space)",
    next: "다음 단계 (→)", last: "끝으로 (End)", slider: "단계", speed: "속도", panel: "자세히", card: "노드 정보",
    tabs: { step: "단계", explain: "설명", look: "살펴볼 곳", layers: "계층", notes: "정보" },
    start: "시작", forward: "순전파", backward: "역전파", of: (k, n) => `${k} / ${n}`,
    begin: (n, m) => `순전파 ${n}단계, 역전파 ${m}단계. → 또는 space를 누르세요.`,
    nothing: "함수가 없어 재생할 단계가 없습니다.",
    goesIn: "처음 값", in: "입력", out: "출력", comesBack: "들어온 기울기", sends: "보내는 기울기", sums: "기울기 더하기",
    takes: (name, ins, outs) => `${name}: 입력 ${ins} → 출력 ${outs}`,
    hands: (name, gets, sent) => `${name}: 들어온 기울기 ${gets} → 보내는 기울기 ${sent}`,
    to: (value, name) => `${name}: ${value}`, and: (some) => some.join(", ") || "없음",
    from: "", seed: "역전파의 시작", coming: "아직", soFar: "지금까지",
    unknown: "알 수 없음", value: "값", gradient: "기울기", noGradient: "기울기가 흐르지 않음",
    kinds: { leaf: "변수", parameter: "매개변수", result: "결과", constant: "상수", function: "함수", group: "접힌 부분" },
    order: (k) => `${k}차 미분`,
    mean: "평균", std: "표준편차", min: "최소", max: "최대", zeros: "0의 개수", corners: "모서리",
    goTo: "이 단계로 가기", explainIt: "기울기 설명", close: "닫기", settings: "설정",
    holds: (f, p, n, times) => `함수 ${f}개${p ? `, 매개변수 ${p}개 (수 ${n}개)` : ""}${times > 1 ? `, ${times}번 반복` : ""}`,
    found: (k, n) => n ? `${k} / ${n}` : "없음", explainWhat: "기울기:", unexplained: (n) => `그 밖의 ${n}개는 dezero.viz.explain으로 볼 수 있습니다.`,
    // An explanation is written in English; these are its headings.
    headings: [[/^Forward$/m, "순전파"], [/^Backward$/m, "역전파"], [/^In one formula$/m, "한 식으로"], [/^Paths from (.*) back to (.*): /m, "$1에서 $2까지의 경로: "],
      [/Their sum: /, "합: "], [/Their sum is /, "합은 "]],
    marks: { nan: "NaN이 있음", inf: "무한대가 있음", huge: "너무 큼 (1e6 초과)", zero: "모두 0" },
    looks: "문제일 수 있는 값 (나타나는 순서):", view: "그림", folded: "접음", open: "펼침", boxes: "계층", groups: "접힌 부분",
    counts: (f, v) => `함수 ${f}개, 변수 ${v}개`, limited: (n) => `수가 ${n}개 이하인 배열은 모두 있고, 더 큰 배열은 통계만 있습니다.`,
    colours: "파란 테두리: 순전파. 주황 테두리: 역전파. 흐린 것: 아직 지나지 않음.",
    help_title: "단축키", close_help: "닫기",
    keys: [["→ ←", "다음 / 이전 단계"], ["space", "재생과 멈춤"], ["Home End", "처음과 끝"], ["+ − 0", "확대, 축소, 전체"],
      ["/", "찾기, Enter는 다음 결과"], ["Tab", "다음 노드, Enter는 정보 열기"], ["Esc", "닫기"], ["?", "이 도움말"]],
    mouse: "끌면 그림이 움직이고 휠로 확대합니다. 노드를 누르면 정보가 남고, 두 번 누르면 그 단계로 갑니다.",
  },
};

let language = "en";

function t(key, ...args) {
  const found = WORDS[language][key];
  return typeof found === "function" ? found(...args) : found;
}

// The words of what stands in the page from the beginning.
function translate() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
    if (node.matches("button, select, input")) node.title = t(node.dataset.label);
  }
  $("language").textContent = t("other");
  $("language").lang = language === "en" ? "ko" : "en";
  $("query").placeholder = t("searchShort");
}
