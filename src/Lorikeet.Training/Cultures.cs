using System.Globalization;

namespace Lorikeet.Training;

/// <summary>The culture that every number is written and read in.</summary>
internal static class Cultures
{
    /// <summary>No country's habits.</summary>
    public static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
}
