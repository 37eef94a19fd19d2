using Lorikeet.Kernels;

namespace Lorikeet.Tensors.Tests;

/// <summary>What every op must keep, checked on every case of <see cref="OpCases"/>.</summary>
public class OpConformanceTests
{
    // Central differences of fourth order with steps h and 2h: what they leave out is about h⁴/30 of the fifth derivative, 3e-8 of it;
    // rounding of the f32 outputs adds about 1e-7 · sqrt(outputs) / h, 3e-5 for the few dozen outputs of a small case.
    private const float Step = 1f / 32;
    private const double Tolerance = 2e-4;
    private const int Checked = 48;

    public static TheoryData<string> Names => OpCases.Names;

    /// <summary>All but blocks that run again, whose surroundings here lie on the tape itself.</summary>
    public static TheoryData<string> NamesOfOps => [.. OpCases.All(CaseSize.Small).Where(item => item.Op != nameof(CheckpointOp)).Select(item => item.ToString())];

    [Fact]
    public void Every_op_has_a_case()
    {
        string[] ops = [.. Directory.GetFiles(GoldenData.Path("..", "..", "src", "Lorikeet.Tensors", "Ops"), "*.cs").Select(file => Path.GetFileNameWithoutExtension(file))];
        ops.ShouldNotBeEmpty();
        OpCases.All(CaseSize.Small).Select(item => item.Op).Distinct().ShouldBe(ops, ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Derivatives_are_those_of_finite_differences(string name)
    {
        OpCase item = OpCases.Of(name);
        float[]?[] gradients = new OpRun().Of(item).Gradients;
        float[][] values = OpRun.OwnValues(item);
        using Tape tape = new() { Seed = 77, Poisons = true };
        for (int i = 0; i < values.Length; i++)
        {
            if (!item.Inputs[i].Differentiable)
            {
                gradients[i].ShouldBeNull($"{item.Inputs[i].Name} is never differentiated");
                continue;
            }
            float[] gradient = gradients[i].ShouldNotBeNull($"{item.Inputs[i].Name} wanted a derivative");
            double scale = Math.Max(1, gradient.Max(MathF.Abs)), worst = 0;
            int stride = Math.Max(1, gradient.Length / Checked);
            for (int at = 0; at < gradient.Length; at += stride)
                worst = Math.Max(worst, Math.Abs(Slope(tape, item, values, i, at) - gradient[at]) / scale);
            (worst < Tolerance).ShouldBeTrue($"the derivative with respect to {item.Inputs[i].Name} is off by {worst}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_frozen_input_gets_no_derivative_and_changes_none(string name)
    {
        OpCase item = OpCases.Of(name);
        int[] differentiable = [.. Enumerable.Range(0, item.Inputs.Length).Where(i => item.Inputs[i].Differentiable)];
        OpResult all = new OpRun().Of(item);
        for (int set = 0; set < 1 << differentiable.Length; set++)
        {
            bool[] wanted = new bool[item.Inputs.Length];
            for (int bit = 0; bit < differentiable.Length; bit++)
                wanted[differentiable[bit]] = (set >> bit & 1) != 0;
            OpResult some = new OpRun { Wanted = wanted }.Of(item);
            some.Recorded.ShouldBe(set != 0);
            some.Output.ShouldBe(all.Output);
            for (int i = 0; i < wanted.Length; i++)
                some.Gradients[i].ShouldBe(wanted[i] ? all.Gradients[i] : null, Message(item, i, wanted));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Not_recording_gives_the_same_bits(string name)
    {
        OpCase item = OpCases.Of(name);
        OpResult plain = new OpRun { Recording = false }.Of(item);
        plain.Output.ShouldBe(new OpRun().Of(item).Output);
        plain.Recorded.ShouldBeFalse();
        plain.Gradients.ShouldAllBe(gradient => gradient == null);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Outputs_are_numbers_whatever_was_in_memory(string name)
    {
        OpCase item = OpCases.Of(name);
        OpResult poisoned = new OpRun().Of(item), plain = new OpRun { Poisons = false }.Of(item);
        poisoned.Output.ShouldAllBe(value => float.IsFinite(value));
        poisoned.Output.ShouldBe(plain.Output);
        poisoned.Gradients.ShouldBe(plain.Gradients);
    }

    [Theory]
    [MemberData(nameof(NamesOfOps))]
    public void Derivatives_need_nothing_but_what_was_saved_for_them(string name)
    {
        OpCase item = OpCases.Of(name);
        new OpRun { PutsAwayAs = DType.F32 }.Of(item).Gradients.ShouldBe(new OpRun().Of(item).Gradients);
        foreach (InputLayout layout in Enum.GetValues<InputLayout>())
        {
            InputLayout[] layouts = [.. item.Inputs.Select(input => input.Gapless ? InputLayout.Whole : layout)];
            new OpRun { PutsAwayAs = DType.F32, Layouts = layouts }.Of(item).Gradients.ShouldBe(new OpRun { Layouts = layouts }.Of(item).Gradients, $"{layout}");
        }
    }

    [Theory]
    [MemberData(nameof(NamesOfOps))]
    public void Derivatives_from_rounded_activations_are_off_by_as_much(string name)
    {
        OpCase item = OpCases.Of(name);
        float[]?[] exact = new OpRun().Of(item).Gradients, rounded = new OpRun { PutsAwayAs = DType.BF16 }.Of(item).Gradients;
        for (int i = 0; i < exact.Length; i++)
        {
            if (exact[i] is not { } gradient)
            {
                rounded[i].ShouldBeNull();
                continue;
            }
            // bf16 keeps 8 bits; a derivative is a sum of products of a few rounded numbers
            double scale = Math.Max(1, gradient.Max(MathF.Abs)), worst = gradient.Zip(rounded[i]!, (a, b) => Math.Abs((double)a - b) / scale).Max();
            (worst < 0.02).ShouldBeTrue($"the derivative with respect to {item.Inputs[i].Name} is off by {worst}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_tensor_used_twice_gets_the_sum_of_both_derivatives(string name)
    {
        OpCase item = OpCases.Of(name);
        OpResult first = new OpRun().Of(item), second = new OpRun { Projection = 1, Counter = first.Counter }.Of(item);
        OpResult both = new OpRun { Repeats = 2 }.Of(item);
        both.Output.ShouldBe([.. first.Output, .. second.Output]);
        for (int i = 0; i < item.Inputs.Length; i++)
            ShouldBeSum(both.Gradients[i], first.Gradients[i], second.Gradients[i], item.Inputs[i].Name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_derivative_is_added_to_what_a_parameter_has(string name)
    {
        OpCase item = OpCases.Of(name);
        float[][] earlier = [.. item.Inputs.Select((input, i) => input.Values(500 + i))];
        OpResult fresh = new OpRun().Of(item), added = new OpRun { Earlier = earlier }.Of(item);
        added.Output.ShouldBe(fresh.Output);
        for (int i = 0; i < item.Inputs.Length; i++)
            ShouldBeSum(added.Gradients[i], item.Inputs[i].Differentiable ? earlier[i] : null, fresh.Gradients[i], item.Inputs[i].Name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parts_of_tensors_serve_as_inputs(string name)
    {
        OpCase item = OpCases.Of(name);
        OpResult whole = new OpRun().Of(item);
        for (int i = 0; i < item.Inputs.Length; i++)
        {
            foreach (InputLayout layout in Enum.GetValues<InputLayout>())
            {
                InputLayout[] layouts = new InputLayout[item.Inputs.Length];
                layouts[i] = layout;
                bool gaps = layout is InputLayout.Columns or InputLayout.ColumnsOfRows && item.Inputs[i].Shape.Rows > 1;
                if (gaps && item.Inputs[i].Gapless)
                {
                    Should.Throw<ArgumentException>(() => new OpRun { Layouts = layouts }.Of(item), $"{item.Inputs[i].Name} as {layout}");
                    continue;
                }
                OpResult part = new OpRun { Layouts = layouts }.Of(item);
                part.Output.ShouldBe(whole.Output, $"{item.Inputs[i].Name} as {layout}");
                for (int other = 0; other < item.Inputs.Length; other++)
                    ShouldBeSum(part.Gradients[other], whole.Gradients[other], null, $"{item.Inputs[other].Name} with {item.Inputs[i].Name} as {layout}");
            }
        }
    }

    internal static void ShouldBeSum(float[]? sum, float[]? a, float[]? b, string what)
    {
        if (a is null && b is null)
        {
            sum.ShouldBeNull(what);
            return;
        }
        sum.ShouldNotBeNull(what);
        double scale = Math.Max(1, sum.Max(MathF.Abs)), worst = 0;
        for (int i = 0; i < sum.Length; i++)
            worst = Math.Max(worst, Math.Abs((double)(a?[i] ?? 0) + (b?[i] ?? 0) - sum[i]) / scale);
        // a product that adds to what is there rounds differently from one that is added afterwards
        (worst < 2e-6).ShouldBeTrue($"{what}: off by {worst}");
    }

    private static string Message(OpCase item, int input, bool[] wanted) =>
        $"{item.Inputs[input].Name} where {string.Join(", ", item.Inputs.Where((_, i) => wanted[i]).Select(i => i.Name))} want a derivative";

    private static double Slope(Tape tape, OpCase item, float[][] values, int input, int element)
    {
        float at = values[input][element];
        double Value(float offset)
        {
            tape.Reset();
            tape.Counter = 0;
            values[input][element] = at + offset;
            OpResult result = new OpRun { Recording = false, Values = values }.On(tape, item);
            values[input][element] = at;
            return OpRun.Project(result.Output, 0);
        }
        return (8 * (Value(Step) - Value(-Step)) - (Value(2 * Step) - Value(-2 * Step))) / (12.0 * Step);
    }
}
