using System.Net;
using System.Text;
using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>
/// The report of a run as one page that needs nothing else: curves as SVG, samples, settings. It loads nothing and runs nothing, whatever the texts in
/// it say.
/// </summary>
public static class ReportHtml
{
    /// <summary>Writes the page to a file.</summary>
    /// <exception cref="Tensors.InputException">The file cannot be written.</exception>
    public static void Save(string path, RunReport report) => AtomicFile.WriteText(path, Write(report));

    /// <summary>The page.</summary>
    public static string Write(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        StringBuilder page = new();
        page.Append(Invariant, $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="color-scheme" content="light dark">
            <title>{Text(report.Title)}</title>
            <style>
            {ReportStyle.Css}
            </style>
            </head>
            <body>
            <main>
            <header>
            <h1>{Text(report.Title)}</h1>
            <p>{Text(report.Outcome)} · {report.Started:yyyy-MM-dd HH:mm} · {Duration(report.Duration)}</p>
            </header>

            """);
        Tiles(page, report);
        Curves(page, report);
        Samples(page, report.Samples);
        Evaluations(page, report.Evaluations);
        if (report.Notes.Count > 0)
        {
            page.Append("<section><h2>Notes</h2><ul class=\"card notes\">");
            foreach (string note in report.Notes)
                page.Append(Invariant, $"<li>{Text(note)}</li>");
            page.Append("</ul></section>\n");
        }
        if (report.Recipe.Length > 0)
            page.Append(Invariant, $"<section><h2>Recipe</h2><pre class=\"card\">{Text(report.Recipe)}</pre></section>\n");
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Tiles(StringBuilder page, RunReport report)
    {
        List<(string Name, string Value, string Detail)> tiles = [];
        if (report.Evaluations.Count > 0)
        {
            (EvaluationReport first, EvaluationReport last) = (report.Evaluations[0], report.Evaluations[^1]);
            EvaluationReport best = report.Evaluations.MinBy(point => double.IsNaN(point.Loss) ? double.PositiveInfinity : point.Loss);
            tiles.Add(("Held-out loss", Number(best.Loss), report.Evaluations.Count > 1
                ? $"from {Number(first.Loss)}{(best.Step != last.Step ? string.Create(Invariant, $", best at step {best.Step:N0}") : "")}"
                : ""));
            tiles.Add(("Perplexity", Number(Math.Exp(best.Loss)), report.Evaluations.Count > 1 ? $"from {Number(Math.Exp(first.Loss))}" : ""));
        }
        if (report.Steps.Count > 0)
        {
            long tokens = report.Steps.Sum(point => (long)point.Tokens);
            double seconds = report.Steps.Sum(point => point.Seconds);
            tiles.Add(("Steps", report.Steps[^1].Step.ToString("N0", Invariant), string.Create(Invariant, $"{report.Steps[^1].Epoch:0.##} epoch{(report.Steps[^1].Epoch == 1 ? "" : "s")}")));
            tiles.Add(("Tokens", Compact(tokens), string.Create(Invariant, $"{(seconds > 0 ? tokens / seconds : 0):N0} a second")));
        }
        page.Append("<section class=\"tiles\">");
        foreach ((string name, string value, string detail) in tiles)
            page.Append(Invariant, $"<div class=\"card tile\"><span class=\"name\">{name}</span><span class=\"value\">{value}</span><span class=\"detail\">{detail}</span></div>");
        page.Append("</section>\n");
        if (report.Facts.Count == 0)
            return;
        page.Append("<section><dl class=\"card facts\">");
        foreach ((string name, string value) in report.Facts)
            page.Append(Invariant, $"<div><dt>{Text(name)}</dt><dd>{Text(value)}</dd></div>");
        page.Append("</dl></section>\n");
    }

    private static void Curves(StringBuilder page, RunReport report)
    {
        if (report.Steps.Count == 0 && report.Evaluations.Count == 0)
            return;
        SvgChart loss = new() { Width = 960, Height = 340, Title = "Loss by step, in training and held out" };
        loss.Add("raw", report.Steps.Select(point => ((double)point.Step, point.Loss)));
        loss.Add("train", Smoothed(report.Steps));
        loss.Add("eval", report.Evaluations.Select(point => ((double)point.Step, point.Loss)), dots: true);
        SvgChart rate = new() { Width = 470, Height = 210, Title = "Learning rate by step", FromZero = true };
        rate.Add("rate", report.Steps.Select(point => ((double)point.Step, point.LearningRate)));
        SvgChart speed = new() { Width = 470, Height = 210, Title = "Tokens a second by step", FromZero = true };
        speed.Add("speed", report.Steps.Select(point => ((double)point.Step, point.Seconds > 0 ? point.Tokens / point.Seconds : double.NaN)));
        page.Append(Invariant, $"""
            <section>
            <h2>Curves</h2>
            <figure class="card"><figcaption>Loss by step<span class="legend"><i class="train"></i>training, smoothed<i class="raw"></i>each step{(report.Evaluations.Count > 0 ? "<i class=\"eval\"></i>held out" : "")}</span></figcaption>{loss.Draw()}</figure>
            <div class="pair">
            <figure class="card"><figcaption>Learning rate by step</figcaption>{rate.Draw()}</figure>
            <figure class="card"><figcaption>Tokens a second by step</figcaption>{speed.Draw()}</figure>
            </div>
            </section>

            """);
    }

    private static void Samples(StringBuilder page, IReadOnlyList<RunSample> samples)
    {
        if (samples.Count == 0)
            return;
        page.Append("<section><h2>Samples</h2>\n");
        foreach (RunSample sample in samples)
        {
            page.Append(Invariant, $"""
                <article class="card sample"><h3>Prompt</h3><pre>{Text(sample.Prompt)}</pre>
                <div class="pair"><div><h3>Before</h3><pre>{Text(sample.Before)}</pre></div><div><h3>After</h3><pre class="after">{Text(sample.After)}</pre></div></div>
                """);
            if (sample.Expected is not null)
                page.Append(Invariant, $"<h3>In the data</h3><pre>{Text(sample.Expected)}</pre>");
            page.Append("</article>\n");
        }
        page.Append("</section>\n");
    }

    private static void Evaluations(StringBuilder page, IReadOnlyList<EvaluationReport> evaluations)
    {
        if (evaluations.Count == 0)
            return;
        page.Append("<section><h2>Evaluations</h2><div class=\"card scroll\"><table><thead><tr><th>Step</th><th>Loss</th><th>Perplexity</th><th>Target tokens</th><th>Seconds</th></tr></thead><tbody>");
        foreach (EvaluationReport point in evaluations)
            page.Append(Invariant, $"<tr><td>{point.Step:N0}{(point.Best ? " · best so far" : "")}</td><td>{(double.IsFinite(point.Loss) ? point.Loss.ToString("0.0000", Invariant) : Number(point.Loss))}</td><td>{Number(Math.Exp(point.Loss))}</td><td>{point.TargetTokens:N0}</td><td>{point.Seconds:0.0}</td></tr>");
        page.Append("</tbody></table></div></section>\n");
    }

    // a running mean that begins as the plain mean, over about a fortieth of the run
    private static IEnumerable<(double X, double Y)> Smoothed(IReadOnlyList<StepReport> points)
    {
        double keep = 1 - 2 / (Math.Max(4, points.Count / 40.0) + 1), sum = 0, weight = 0;
        foreach (StepReport point in points)
        {
            if (double.IsFinite(point.Loss))
            {
                sum = sum * keep + point.Loss;
                weight = weight * keep + 1;
            }
            yield return (point.Step, double.IsFinite(point.Loss) ? sum / weight : double.NaN);
        }
    }

    private static string Number(double value) => !double.IsFinite(value) ? "not a number" : value >= 1e5 ? value.ToString("0.00e0", Invariant) : value.ToString(value >= 100 ? "N0" : value >= 10 ? "0.00" : "0.000", Invariant);

    private static string Compact(long value) => value switch
    {
        >= 10_000_000 => string.Create(Invariant, $"{value / 1e6:0.0} M"),
        >= 100_000 => string.Create(Invariant, $"{value / 1e3:0} k"),
        _ => value.ToString("N0", Invariant),
    };

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(Invariant, $"{(int)time.TotalHours} h {time.Minutes:00} min")
        : time.TotalMinutes >= 1 ? string.Create(Invariant, $"{time.Minutes} min {time.Seconds:00} s") : string.Create(Invariant, $"{time.TotalSeconds:0.0} s");

    // control characters are no part of a page; what models make up may hold any
    private static string Text(string text) => WebUtility.HtmlEncode(string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c)));
}
