namespace Lorikeet.Kernels;

/// <summary>How fast a product ran with some threads, and what the machine did at best in between.</summary>
/// <param name="Rate">The median of its runs, in 10⁹ operations a second, a multiply-add being two.</param>
/// <param name="Best">The fastest of its runs: what it does where nothing else runs on the machine, and what peaks, the fastest of their runs, compare with.</param>
/// <param name="Fma">Single-precision multiply-adds from registers, as many threads.</param>
/// <param name="Dots">The dot products of the product's precision; where there are none, the same as <paramref name="Fma"/>.</param>
public readonly record struct GemmRate(double Rate, double Best, double Fma, double Dots);
