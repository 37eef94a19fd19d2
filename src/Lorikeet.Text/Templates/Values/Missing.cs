namespace Lorikeet.Text;

/// <summary>Stands where no value is: a variable not yet set, an argument not given. Templates never see it (C# null is Python's None).</summary>
internal sealed class Missing
{
    public static readonly Missing Value = new();

    private Missing() { }
}
