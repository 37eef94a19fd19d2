using System.Xml.Linq;

namespace Lorikeet.Training.Tests;

public sealed class ReportHtmlTests
{
    [Fact]
    public void A_report_needs_nothing_else_and_runs_nothing()
    {
        string page = ReportHtml.Write(Report());
        page.ShouldNotContain("http://");
        page.ShouldNotContain("https://");
        page.ShouldNotContain("<script");
        page.ShouldNotContain("src=");
        page.ShouldContain("default-src 'none'");
        page.ShouldContain("prefers-color-scheme: dark");
    }

    [Fact]
    public void Texts_of_users_and_models_are_only_text()
    {
        const string Evil = "</pre><script>alert(1)</script>\u0000&\"'";
        string page = ReportHtml.Write(Report() with { Title = Evil, Outcome = Evil, Recipe = Evil, Notes = [Evil], Facts = [(Evil, Evil)], Samples = [new(Evil, Evil, Evil, Evil)] });
        page.ShouldNotContain("<script");
        page.ShouldNotContain("\0");
        page.ShouldContain("&lt;script&gt;");
    }

    [Fact]
    public void Curves_are_drawn_whatever_the_numbers()
    {
        foreach (double[] losses in (double[][])[[], [1], [1, 1], [double.NaN], [1, double.NaN, 2, double.PositiveInfinity, 3], [0, -1e300, 1e300], [1e-12, 2e-12], [.. Enumerable.Range(0, 5000).Select(i => 1.0 / (i + 1))]])
        {
            StepReport[] steps = [.. losses.Select((loss, step) => new StepReport(step + 1, 9, step, loss, loss, loss, 10, 5, 0))];
            EvaluationReport[] evaluations = [.. losses.Take(20).Select((loss, step) => new EvaluationReport(step, loss, 1, false, 1))];
            string page = ReportHtml.Write(Report() with { Steps = steps, Evaluations = evaluations });
            page.Length.ShouldBeLessThan(200_000);
            foreach (string svg in page.Split("<svg").Skip(1))
            {
                string drawing = "<svg" + svg[..(svg.IndexOf("</svg>", StringComparison.Ordinal) + 6)];
                XDocument.Parse(drawing);
                drawing.ShouldNotContain("NaN", Case.Sensitive);
                drawing.ShouldNotContain("∞");
            }
        }
    }

    [Fact]
    public void The_first_figures_are_what_was_reached()
    {
        string page = ReportHtml.Write(Report());
        page.ShouldContain("<span class=\"value\">1.307</span><span class=\"detail\">from 2.991</span>");
        page.ShouldContain("149 k");
        page.ShouldContain("9 min 55 s");
    }

    private static RunReport Report()
    {
        Random random = new(4);
        StepReport[] steps = [.. Enumerable.Range(1, 300).Select(step => new StepReport(
            step, 300, step / 300.0, 1.25 + 1.7 * Math.Exp(-step / 40.0) + 0.25 * (random.NextDouble() - 0.5), 1, 5e-4 * Math.Min(step / 10.0, (300 - step) / 290.0), 498, 260, 1.6 + 0.4 * random.NextDouble()))];
        return new RunReport
        {
            Title = "SmolLM2-135M-Instruct · lora r 16 · valid.txt",
            Outcome = "finished",
            Started = new DateTimeOffset(2025, 7, 10, 12, 0, 0, TimeSpan.Zero),
            Duration = TimeSpan.FromSeconds(595),
            Facts = [("Model", "models/SmolLM2-135M-Instruct.Q4_1.gguf"), ("Trainable parameters", "4,884,480 of 139,399,488 (3.504 %)"), ("Peak memory", "1.62 GB"), ("Checkpoint", "runs/e2e/checkpoint-300")],
            Steps = steps,
            Evaluations = [new(0, 2.9907, 2790, true, 8), new(100, 1.5164, 2790, true, 8), new(200, 1.4025, 2790, true, 8), new(300, 1.3071, 2790, true, 8)],
            Samples =
            [
                new("name : The Vaults | Type : pub | price : more than £ 30 | customer rating : 5 out of 5 | near : Café Adriatic ->",
                    " The Vaults is a pub located in the heart of London. It is a popular spot for locals and tourists alike,", " The Vaults is a pub near Café Adriatic . It has a customer rating of 5 out of 5 and a price range of more than £ 30 .",
                    " The Vaults pub near Café Adriatic has a 5 star rating . Prices start at £ 30 ."),
            ],
            Notes = ["valid.txt: 2,400 rows of prompt and completion made from context, completion, from lines divided by '||'; 149,679 tokens, 78,140 of them counted in the loss, the longest row 121"],
            Recipe = "model:\n  path: models/SmolLM2-135M-Instruct.Q4_1.gguf\nadapter:\n  method: lora\n  r: 16\n  lora_alpha: 32\ndata:\n  train:\n  - path: valid.txt\n    separator: '||'\n",
        };
    }
}
