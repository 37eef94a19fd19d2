namespace Lorikeet.Kernels.Tests;

/// <summary>Derivatives by central differences.</summary>
internal static unsafe class Slopes
{
    /// <summary>Slope of a loss along one input, of fourth order in the step (the step should be a power of two).</summary>
    public static double Of(FloatBlock x, long i, float step, Func<double> loss)
    {
        float at = x[i];
        double near = Difference(step), far = Difference(2 * step);
        x[i] = at;
        return (4 * near - far) / 3;

        double Difference(float h)
        {
            x[i] = at + h;
            double up = loss(), upAt = x[i];
            x[i] = at - h;
            double down = loss();
            return (up - down) / (upAt - x[i]);
        }
    }
}
