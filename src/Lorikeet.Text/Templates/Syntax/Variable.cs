namespace Lorikeet.Text;

/// <summary>
/// Where a name's value lies: in a slot of a function's frame or, with <paramref name="Function"/> null, among the
/// variables of the request, which never change.
/// </summary>
internal sealed record Variable(FunctionLayout? Function, int Index);
