using System.Net;
using System.Text;

namespace Lorikeet.Training;

/// <summary>A line chart as SVG. Its colours are classes of the page around it, so that light and dark are the page's business.</summary>
internal sealed class SvgChart
{
    private const double Left = 56, Right = 16, Top = 14, Bottom = 30;
    private const int MostPoints = 600;
    private const int MostLabels = 8;

    private readonly List<(string Class, bool Dots, (double X, double Y)[] Points)> _series = [];

    /// <summary>Units of the drawing; the page scales it.</summary>
    public required int Width { get; init; }

    /// <summary>Units of the drawing; the page scales it.</summary>
    public required int Height { get; init; }

    /// <summary>What the drawing shows, for those who cannot see it.</summary>
    public required string Title { get; init; }

    /// <summary>Whether the vertical axis begins at zero.</summary>
    public bool FromZero { get; init; }

    /// <summary>Adds a line; points that are no numbers leave a gap.</summary>
    /// <param name="name">The class of its colour.</param>
    /// <param name="points">Ascending in x.</param>
    /// <param name="dots">Whether each point is marked and tells its value.</param>
    public void Add(string name, IEnumerable<(double X, double Y)> points, bool dots = false) =>
        _series.Add((name, dots, dots ? [.. points] : Thinned([.. points])));

    /// <summary>The drawing.</summary>
    public string Draw()
    {
        (double X, double Y)[] all = [.. _series.SelectMany(s => s.Points).Where(p => double.IsFinite(p.Y))];
        StringBuilder svg = new();
        svg.Append(Invariant, $"""<svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{WebUtility.HtmlEncode(Title)}">""");
        if (all.Length > 0)
        {
            (double xFrom, double xTo) = (Math.Min(0, all.Min(p => p.X)), all.Max(p => p.X));
            (double yFrom, double yTo) = (FromZero ? 0 : all.Min(p => p.Y), all.Max(p => p.Y));
            double[] xTicks = Ticks(xFrom, xTo, Width / 110, around: false), yTicks = Ticks(yFrom, yTo, Height / 56, around: true);
            (yFrom, yTo) = (Math.Min(yFrom, yTicks[0]), Math.Max(yTo, yTicks[^1]));
            if (xTo == xFrom)
                (xFrom, xTo) = (xFrom - 1, xTo + 1);
            if (yTo == yFrom)
                yTo = yFrom + 1;
            double X(double x) => Left + (x - xFrom) / (xTo - xFrom) * (Width - Left - Right);
            double Y(double y) => Height - Bottom - (y - yFrom) / (yTo - yFrom) * (Height - Top - Bottom);
            foreach (double tick in yTicks)
            {
                svg.Append(Invariant, $"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(tick):0.#}" y2="{Y(tick):0.#}"/>""");
                svg.Append(Invariant, $"""<text class="tick" x="{Left - 8}" y="{Y(tick) + 4:0.#}" text-anchor="end">{Label(tick, yTicks)}</text>""");
            }
            foreach (double tick in xTicks)
                svg.Append(Invariant, $"""<text class="tick" x="{X(tick):0.#}" y="{Height - 10}" text-anchor="middle">{Label(tick, xTicks)}</text>""");
            foreach ((string name, bool dots, (double X, double Y)[] points) in _series)
                Line(svg, name, dots, points, X, Y);
        }
        return svg.Append("</svg>").ToString();
    }

    private static void Line(StringBuilder svg, string name, bool dots, (double X, double Y)[] points, Func<double, double> x, Func<double, double> y)
    {
        svg.Append(Invariant, $"""<path class="line {name}" d=" """);
        bool pen = false;
        foreach ((double px, double py) in points)
        {
            if (double.IsFinite(py))
                svg.Append(Invariant, $"{(pen ? 'L' : 'M')}{x(px):0.#} {y(py):0.##}");
            pen = double.IsFinite(py);
        }
        svg.Append("\"/>");
        if (!dots)
            return;
        (double X, double Y)[] marked = [.. points.Where(p => double.IsFinite(p.Y))];
        for (int i = 0; i < marked.Length; i++)
        {
            (double px, double py) = marked[i];
            svg.Append(Invariant, $"""<circle class="dot {name}" cx="{x(px):0.#}" cy="{y(py):0.##}" r="3.5"><title>step {px}: {py:0.0000}</title></circle>""");
            if (marked.Length <= MostLabels && i > 0)
                svg.Append(Invariant, $"""<text class="mark {name}" x="{x(px):0.#}" y="{y(py) - 10:0.#}" text-anchor="{(i == marked.Length - 1 ? "end" : "middle")}">{py:0.000}</text>""");
        }
    }

    // neighbours become their mean where there are more points than a screen has room for
    private static (double X, double Y)[] Thinned((double X, double Y)[] points)
    {
        if (points.Length <= MostPoints)
            return points;
        int group = (points.Length + MostPoints - 1) / MostPoints;
        return [.. points.Chunk(group).Select(chunk => (chunk.Average(p => p.X), chunk.Average(p => p.Y)))];
    }

    // round numbers within a range, or the fewest around it
    private static double[] Ticks(double from, double to, int wanted, bool around)
    {
        double span = Math.Max(to - from, Math.Max(Math.Abs(to), 1e-12) * 1e-6);
        double raw = span / Math.Max(wanted, 2), power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * ((raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        double first = around ? Math.Floor(from / step + 1e-9) : Math.Ceiling(from / step - 1e-9);
        double last = around ? Math.Ceiling(to / step - 1e-9) : Math.Floor(to / step + 1e-9);
        return last < first ? [from] : [.. Enumerable.Range(0, (int)Math.Min(last - first, 50) + 1).Select(i => (first + i) * step)];
    }

    private static string Label(double value, double[] ticks)
    {
        double largest = ticks.Max(Math.Abs), step = ticks.Length > 1 ? ticks[1] - ticks[0] : largest;
        if (value == 0)
            return "0";
        if (largest < 0.01)
            return value.ToString("0.##e-0", Invariant);
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(Math.Max(step, 1e-9)) - 1e-9), 0, 6);
        return value.ToString("N" + decimals.ToString(Invariant), Invariant);
    }
}
