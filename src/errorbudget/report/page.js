"use strict";
/* What the page can do beyond being read: sort, find, switch colours, and read charts out.
   Everything is there without it. Text from data enters as text, never as markup. */
(() => {
  const make = (name, attributes = {}, ...inside) => {
    const svg = ["path", "rect", "text"].includes(name);
    const made = svg
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };

  /* ---- light and dark */

  const themes = ["system", "light", "dark"];
  const button = document.querySelector(".theme");
  const remembered = () => {
    try { return localStorage.getItem("errorbudget-theme"); } catch { return null; }
  };
  let theme = themes.includes(remembered()) ? remembered() : "system";
  const paint = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem("errorbudget-theme", theme); } catch { /* a page from a file */ }
    paint();
  });
  button.hidden = false;
  paint();

  /* ---- the table of all objectives */

  const table = document.getElementById("slos");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const keys = new Map(rows.map((row) => [row, JSON.parse(row.dataset.keys)]));
  const heads = [...table.tHead.rows[0].cells];
  const sort = (column, direction) => {
    const before = (a, b) => {
      const [x, y] = [keys.get(a)[column], keys.get(b)[column]];
      if (x === null || y === null) return (x === null) - (y === null);
      const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return direction === "descending" ? -order : order;
    };
    body.append(...(direction === "none" ? rows : [...rows].sort(before)));
    heads.forEach((head, at) => {
      if (at === column && direction !== "none") head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
  };
  heads.forEach((head, column) => {
    if (!rows.some((row) => keys.get(row)[column] !== null)) return;
    const press = make("button", { type: "button" }, head.textContent);
    press.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "none" };
      sort(column, next[head.getAttribute("aria-sort")] ?? "ascending");
    });
    head.replaceChildren(press);
  });

  const find = document.getElementById("find-text");
  const found = document.getElementById("found");
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    found.textContent = wanted ? `${shown} of ${rows.length}` : "";
  });
  document.getElementById("find").hidden = rows.length < 6;

  /* ---- charts */

  const sums = (steps) => {
    let sum = 0;
    return steps.map((step) => (sum += step));
  };
  /* Position of the last of ascending numbers that is not above a value. */
  const last = (numbers, value) => {
    let [low, high] = [0, numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const ROUND = [
    ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
    ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
    ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
    ...[1, 2, 7, 10, 14, 28, 91, 182, 365].map((n) => n * DAY),
  ];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const iso = (ms) => new Date(ms).toISOString();
  const said = (ms) => `${iso(ms).slice(0, 10)} ${iso(ms).slice(11, ms % MINUTE ? 19 : 16)} UTC`;
  const tick = (ms, step) => {
    const day = `${new Date(ms).getUTCDate()} ${MONTHS[new Date(ms).getUTCMonth()]}`;
    if (step >= DAY || (step >= HOUR && ms % DAY === 0)) return day;
    return iso(ms).slice(11, step < MINUTE ? 19 : 16);
  };
  const figure = (value, unit) => {
    if (value === null) return "no data";
    if (unit === "%") return typeof value === "number" ? `${value.toLocaleString("en", { maximumFractionDigits: 10 })}%` : value;
    return unit && unit !== "x" ? `${value} ${unit}` : String(value);
  };
  const CHOICES = [["30d", 30 * DAY], ["7d", 7 * DAY], ["1d", DAY], ["6h", 6 * HOUR], ["1h", HOUR], ["5m", 5 * MINUTE]];

  const enliven = (chart) => {
    const data = JSON.parse(document.getElementById(`${chart.dataset.of}-data`).textContent);
    const name = document.getElementById(`${chart.dataset.of}-title`).querySelector("bdi").textContent;
    const moments = sums(data.moments);
    const ends = data.pieces ? sums(data.pieces.ends) : [];
    const panels = chart.querySelector(".panels");
    const plots = [...chart.querySelectorAll(".plot")];
    const axis = chart.querySelector("svg.axis");
    const least = Math.max(1, Math.min(data.width, Math.ceil(MINUTE / data.unit_ms)));
    let [from, to] = [0, data.width];
    let at = data.width;
    const ms = (x) => data.start_ms + x * data.unit_ms;

    const readout = make("p", { class: "readout" });
    const slider = make("input", { type: "range", min: 0, max: data.width, step: 1, value: at, "aria-label": `Moment of ${name}` });
    const cursors = plots.map((plot) => plot.appendChild(make("path", { class: "cursor" })));

    const tell = () => {
      const moment = last(moments, at);
      const parts = [["", said(ms(at))]];
      for (const line of data.lines) {
        const called = line.unit === "x" ? `burn ${line.name}` : line.name;
        parts.push([called, figure(line.values[Math.max(0, moment)], line.unit)]);
      }
      if (data.pieces) {
        const piece = Math.min(ends.length - 1, last(ends, at - 1) + 1);
        parts.push([`SLI of this ${data.pieces.every}`, figure(data.pieces.values[piece], "%")]);
      }
      const firing = at >= data.width
        ? data.firing
        : data.alerts.filter((one) => one.spans.some(([a, b]) => a <= at && at < b)).map((one) => one.name);
      if (data.lines.some((line) => line.unit === "x")) parts.push(["firing", firing.join(", ") || "none"]);
      readout.replaceChildren(
        ...parts.map(([label, value]) =>
          label ? make("span", {}, `${label} `, make("b", {}, value)) : make("span", {}, make("b", {}, value))),
      );
      slider.value = at;
      slider.setAttribute("aria-valuetext", parts.map((pair) => pair.join(" ").trim()).join("; "));
      for (const cursor of cursors) cursor.setAttribute("d", `M${at} 0V1000`);
    };
    const move = (x) => {
      at = Math.round(Math.min(data.width, Math.max(0, x)));
      tell();
    };

    const draw = () => {
      for (const plot of plots) plot.setAttribute("viewBox", `${from} 0 ${to - from} 1000`);
      const room = Math.max(2, Math.floor(axis.clientWidth / (axis.clientWidth < 400 ? 55 : 75)));
      const span = (to - from) * data.unit_ms;
      const step = ROUND.find((size) => span / size <= room) ?? Math.ceil(span / room / DAY / 365) * 365 * DAY;
      const ticks = [];
      for (let time = Math.ceil(ms(from) / step) * step; time <= ms(to); time += step) {
        const x = (100 * (time - ms(from))) / span;
        ticks.push(make("text", { x: `${x}%`, y: "1em", "text-anchor": "middle" }, tick(time, step)));
      }
      axis.replaceChildren(...ticks);
      slider.min = from;
      slider.max = to;
      earlier.disabled = from <= 0;
      later.disabled = to >= data.width;
      const whole = from === 0 && to === data.width;
      for (const [press, width] of choices)
        press.setAttribute("aria-pressed", whole ? width === data.width : to - from === width);
      if (at < from || at > to) move(to);
      else tell();
    };
    const show = (a, b) => {
      const width = Math.min(data.width, Math.max(least, Math.round(b - a)));
      from = Math.round(Math.min(data.width - width, Math.max(0, a)));
      to = from + width;
      draw();
    };

    const press = (text, label, act) => {
      const made = make("button", { type: "button", "aria-label": `${label} of ${name}` }, text);
      made.addEventListener("click", act);
      return made;
    };
    /* A shorter stretch is chosen around the cursor, which stays in it. */
    const around = (width) => () => show(at - Math.min(width / 2, Math.max(0, at - from)), at + width - Math.min(width / 2, Math.max(0, at - from)));
    const choices = [
      [press("All", "All time", () => show(0, data.width)), data.width],
      ...CHOICES.map(([text, length]) => [text, Math.round(length / data.unit_ms)])
        .filter(([, width]) => width < data.width && width * 2000 > data.width)
        .slice(0, 4)
        .map(([text, width]) => [press(text, `${text} around the moment`, around(width)), width]),
    ];
    for (const [made] of choices) made.setAttribute("aria-pressed", "false");
    const earlier = press("‹ Earlier", "Earlier stretch", () => show(from - (to - from) / 2, to - (to - from) / 2));
    const later = press("Later ›", "Later stretch", () => show(from + (to - from) / 2, to + (to - from) / 2));

    slider.addEventListener("input", () => move(Number(slider.value)));
    slider.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
      if (event.key === "Escape") show(0, data.width);
      if (!way) return;
      /* From one moment with figures to the next: a second of a month is no step. */
      event.preventDefault();
      const moment = Math.min(moments.length - 1, Math.max(0, last(moments, at) + way));
      if (moments[moment] < from) show(moments[moment], moments[moment] + to - from);
      if (moments[moment] > to) show(moments[moment] - to + from, moments[moment]);
      move(moments[moment]);
    });

    let began = null;
    const place = (event) => {
      const box = plots[0].getBoundingClientRect();
      return from + ((to - from) * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    };
    const marks = [];
    panels.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType === "mouse") began = place(event);
      move(place(event));
    });
    panels.addEventListener("pointermove", (event) => {
      const x = place(event);
      move(x);
      if (began === null) return;
      event.preventDefault();
      if (!marks.length) for (const plot of plots) marks.push(plot.appendChild(make("rect", { class: "chosen", y: 0, height: 1000 })));
      for (const mark of marks) {
        mark.setAttribute("x", Math.min(began, x));
        mark.setAttribute("width", Math.abs(x - began));
      }
    });
    const leave = (event, choose) => {
      for (const mark of marks.splice(0)) mark.remove();
      const x = place(event);
      if (choose && began !== null && Math.abs(x - began) > (to - from) / 50) show(Math.min(began, x), Math.max(began, x));
      began = null;
    };
    panels.addEventListener("pointerup", (event) => leave(event, true));
    panels.addEventListener("pointerleave", (event) => leave(event, false));
    panels.addEventListener("dblclick", () => show(0, data.width));
    panels.classList.add("plots-live");
    panels.addEventListener("selectstart", (event) => event.preventDefault());

    chart.prepend(
      make("div", { class: "controls", role: "group", "aria-label": `Chart of ${name}` },
        ...choices.map(([made]) => made), earlier, later, slider),
      readout,
    );
    draw();
    new ResizeObserver(draw).observe(axis);
  };

  /* A page of many objectives comes alive chart by chart, as each comes into view. */
  const charts = document.querySelectorAll(".chart[data-of]");
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      enliven(target);
    }
  }, { rootMargin: "600px" });
  for (const chart of charts) watch.observe(chart);

  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
