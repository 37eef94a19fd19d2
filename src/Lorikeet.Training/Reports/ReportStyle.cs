namespace Lorikeet.Training;

/// <summary>How the report looks.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet, light and dark.</summary>
    public const string Css = """
        :root { --page: #f6f7f9; --card: #fff; --edge: #e3e6ea; --ink: #1b2430; --soft: #5c6877; --grid: #e9ecf0; --train: #2563c9; --raw: #2563c9; --eval: #d1590b; --rate: #0c8074; --speed: #7a4bc4; --after: #eaf3ea; }
        @media (prefers-color-scheme: dark) { :root { --page: #12161b; --card: #1a2027; --edge: #2a323c; --ink: #e6ebf1; --soft: #97a3b1; --grid: #262e37; --train: #6ea4f7; --raw: #6ea4f7; --eval: #f59a55; --rate: #45bfae; --speed: #b595f0; --after: #1d2c22; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
        main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
        header p { margin: 4px 0 0; color: var(--soft); }
        h1 { margin: 0; font-size: 26px; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere; }
        h2 { margin: 36px 0 12px; font-size: 17px; }
        h3 { margin: 12px 0 4px; font-size: 12px; font-weight: 600; color: var(--soft); }
        .card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 16px; margin: 0 0 12px; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; margin: 24px 0 12px; }
        .tile { display: flex; flex-direction: column; margin: 0; }
        .name, .detail, dt { color: var(--soft); font-size: 13px; }
        .value { font-size: 28px; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
        .detail { min-height: 1.5em; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 10px 24px; }
        dd { margin: 0; overflow-wrap: anywhere; }
        .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }
        .pair > * { min-width: 0; }
        figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 16px; font-weight: 600; margin: 0 0 8px; }
        .legend { font-weight: 400; font-size: 13px; color: var(--soft); }
        .legend i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin: 0 6px 3px 14px; vertical-align: middle; }
        i.train { background: var(--train); } i.raw { background: var(--raw); opacity: .35; } i.eval { background: var(--eval); }
        svg { display: block; width: 100%; height: auto; }
        .grid { stroke: var(--grid); stroke-width: 1; }
        .tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        .line.train { stroke: var(--train); } .line.raw { stroke: var(--raw); stroke-width: 1; opacity: .35; } .line.eval { stroke: var(--eval); } .line.rate { stroke: var(--rate); } .line.speed { stroke: var(--speed); stroke-width: 1.5; }
        .dot.eval { fill: var(--eval); stroke: var(--card); stroke-width: 1.5; }
        .mark { font-size: 12px; font-weight: 600; font-variant-numeric: tabular-nums; } .mark.eval { fill: var(--eval); }
        pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
        .sample pre { background: var(--page); border-radius: 6px; padding: 8px 10px; }
        .sample pre.after { background: var(--after); }
        .sample > h3:first-child { margin-top: 0; }
        .notes { padding-left: 34px; }
        .scroll { overflow-x: auto; padding: 4px 16px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: 7px 0 7px 16px; border-bottom: 1px solid var(--grid); white-space: nowrap; }
        th { color: var(--soft); font-size: 13px; font-weight: 500; }
        tr:last-child td { border-bottom: 0; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        @media (max-width: 720px) { .pair { grid-template-columns: 1fr; } main { padding: 20px 12px 40px; } }
        @media print { body { background: #fff; } .card { break-inside: avoid; } }
        """;
}
