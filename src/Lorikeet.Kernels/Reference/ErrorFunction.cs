namespace Lorikeet.Kernels.Reference;

/// <summary>erf and erfc in double precision (relative error below 1e-12), by series near zero and continued fraction beyond.</summary>
internal static class ErrorFunction
{
    /// <summary>The error function.</summary>
    public static double Erf(double x) => Math.Abs(x) < 2.5 ? Series(x) : x > 0 ? 1 - Fraction(x) : Fraction(-x) - 1;

    /// <summary><c>1 - erf(x)</c>.</summary>
    public static double Erfc(double x) => x >= 2.5 ? Fraction(x) : x <= -2.5 ? 2 - Fraction(-x) : 1 - Series(x);

    private static double Series(double x)
    {
        // erf(x) = 2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms of one sign
        double term = x, sum = x;
        for (int n = 1; n < 200; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
            if (Math.Abs(term) < 1e-17 * Math.Abs(sum))
                break;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    private static double Fraction(double x)
    {
        // erfc(x) = exp(-x^2)/sqrt(pi) * 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), evaluated from the far end
        double tail = x;
        for (int n = 150; n >= 1; n--)
            tail = x + n / 2.0 / tail;
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / tail;
    }
}
