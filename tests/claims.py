"""Derivatives by hand: programs, points, claims; what is right of them, and words that tell what is
wrong with the others.
"""

from __future__ import annotations

from typing import NamedTuple


class Claimed(NamedTuple):
    program: str
    at: str
    claim: str
    words: str = ""  # of the explanation; empty where the claim is right


_LAYER = "z = x @ W + b\na = tanh(z)\nL = mean((a - t)**2)"
_AT = "x=[[1,2],[0.5,-1],[2,0.25]],W=[[0.5,-1],[0.25,2]],b=[0.125,-0.5],t=[[1,0],[0,1],[1,1]]"
_ATTENTION = "s = q @ k.T/2\np = softmax(s, dim=1)\no = p @ v"
_QKV = "q=[[1,0.5],[0.25,-1]],k=[[0.5,1],[2,-0.5],[0.125,1]],v=[[1,2],[0.5,-1],[0,1]]"

# fmt: off
RIGHT = [
    Claimed("sum(exp(X @ W))", "X=[[1,2],[0.5,-1]],W=[[0.5],[0.25]]", "E = exp(X @ W); dW = X.T @ E; dX = E @ W.T"),
    Claimed("cross_entropy(x, 1)", "x=[1,2,3]", "dx = softmax(x); dx[1] -= 1"),
    Claimed("cross_entropy(x, y)", "x=[[1,2,3],[2,0,1]],y=[0,2]", "N = x.shape[0]; dx = softmax(x, dim=1); dx[np.arange(N), y] -= 1; dx /= N"),
    Claimed("sqrt(1 - cos(x))", "x=0.5", "x = sin(x)/(2*sqrt(1 - cos(x)))"),
    Claimed("x[0]*x[1]", "x=[2,3]", "dx = zeros_like(x); dx[0] = x[1]; dx[1] += x[0]"),
    Claimed("x**3*sin(x)", "x=0.75", "x = 3*x**2*sin(x) + x**3*cos(x)"),
    Claimed("log(1 + exp(x))", "x=0.5", "df/dx = 1/(1 + exp(-x))"),
    Claimed("x**x", "x=1.5", "x = x**x*(log(x) + 1)"),
    Claimed("sin(x)**2", "x=0.75", "x = sin(2*x)"),
    Claimed("tan(x)", "x=0.75", "x = 1 + tan(x)**2"),
    Claimed("sqrt(x**2 + y**2)", "x=3,y=4", "df/dx = x/sqrt(x**2 + y**2); df/dy = y/sqrt(x**2 + y**2)"),
    Claimed("atan2(y, x)", "x=1,y=2", "df/dx = -y/(x**2 + y**2)"),
    Claimed("u = x*y\nv = u + x\nf = u*v", "x=2,y=3", "df/dv = u; df/du = v + u; df/dx = df_dv*1 + (v + u)*y"
            .replace("df_dv", "u")),
    Claimed("k = exp(-z)\nh = 1 + k\nf = 1/h", "z=0.5", "dfdh = -1/h**2; dhdk = 1; dkdz = -k; dfdz = dfdh*dhdk*dkdz"),
    Claimed("a = 3*b\nc = 3*b\nf = a*c", "b=2", "df/da = c; df/dc = a; df/db = 18*b"),
    Claimed(_LAYER, _AT, "da = 2*(a - t)/6; dz = da*(1 - a**2); dW = x.T @ dz; db = dz.sum(0); dx = dz @ W.T"),
    Claimed(_LAYER, _AT, "da = 2*(a - t)/t.size\ndz = da*(1 - np.square(a))\ndW = np.dot(x.T, dz)\ndb = np.sum(dz, axis=0)"),
    Claimed(_LAYER, _AT, "N, D = t.shape; da = 2*(a - t)/(N*D); dz = da*(1 - a*a); db = dz.sum(axis=0)"),
    Claimed(_ATTENTION, _QKV, "dp = dout @ v.T; dv = p.T @ dout; ds = p*(dp - sum(dp*p, dim=1, keepdim=True)); dq = ds @ k/2; dk = ds.T @ q/2"),
    Claimed("relu(x)*3", "x=[1,-2,0.5]", "dx = dout*3; dx[x <= 0] = 0"),
    Claimed("softmax(z)", "z=[0.5,1,-1]", "s = softmax(z); dz = s*(g - sum(g*s))"),
    Claimed("p = softmax(z, dim=1)\nL = -sum(y*log(p))/2", "z=[[1,2],[0.5,-1]],y=[[1,0],[0,1]]", "dz = (p - y)/2"),
    Claimed("x*sigmoid(x)", "x=0.5", "s = sigmoid(x); x = s + x*s*(1 - s)"),
    Claimed("r = x/sqrt(mean(x**2) + 1/1000)\nf = sum(r*w)", "x=[1,2,-1],w=[0.5,1,2]",
            "i = 1/sqrt(mean(x**2) + 1/1000); df/dx = w*i - x*i**3*sum(w*x)/3"),
    Claimed("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))", "x=1,m=0.5,s=2", "df/dm = (x - m)/s**2*exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))"),
    Claimed("erf(x/sqrt(2))", "x=0.5", "x = sqrt(2/pi)*exp(-x**2/2)"),
    Claimed("cumsum(x)", "x=[1,2,3]", "dx = sum(dout) - cumsum(dout) + dout"),
    Claimed("y = x**2\nL = sum(y)", "x=[1,2]", "dy = ones_like(y); dx = 2*x*dy"),
    Claimed("y = x**2\nL = sum(y)", "x=[1,2]", "dx = zeros_like(x); dx += 2*x"),
]
WRONG = [
    Claimed("clamp(x, -1, 1)**2", "x=0.5", "x = 2*x", "right at the point itself"),
    Claimed("X @ W", "X=[[1,2],[0.5,-1],[2,0.25]],W=[[0.5],[0.25]]", "dW = X @ dout", "`X` has to be transposed"),
    Claimed("h = tanh(x*w)\ny = h*w\nL = y**2", "x=0.5,w=2", "dy = 2*y; dh = dy*w; dw = dh*(1 - h**2)*x", "through `h*w` is missing"),
    Claimed("sin(x)*x", "x=0.75", "x = cos(x)*x", "what comes through"),
    Claimed("exp(3*x)", "x=0.5", "x = exp(3*x)", "1/3 times"),
    Claimed("cos(x**2)", "x=0.75", "x = -sin(x**2)", "2*x is missing"),
    Claimed("cos(x)", "x=0.75", "df/dx = sin(x)", "sign"),
    Claimed("log(x)", "x=2", "x = x", "x**2 is too much"),
    Claimed("u = x**2\nf = sin(u)", "x=0.75", "df/dx = cos(u)", "2*x is missing"),
    Claimed("k = exp(-z)\nh = 1 + k\nf = 1/h", "z=0.5", "df/dk = 1", "local partial"),
    Claimed("x**2*y", "x=1.5,y=2", "df/dx = x**2", "exchanged"),
    Claimed("mu = mean(x)\nf = sum((x - mu)**3)", "x=[1,2,4]", "df/dx = 3*(x - mu)**2", "`mu` is missing"),
    Claimed(_LAYER, _AT, "da = 2*(a - t); dz = da*(1 - a**2); dW = x.T @ dz/6; db = dz.sum(0)/6", "6 times"),
    Claimed(_LAYER, _AT, "da = 2*(a - t)/6; dz = da*(1 - a); dW = x.T @ dz", "(1 + a) is missing"),
    Claimed(_LAYER, _AT, "dz = 2*(a - t)/6*(1 - a**2); dW = dz.T @ x", "transpose"),
    Claimed(_LAYER, _AT, "dz = 2*(a - t)/6*(1 - a**2); db = dz", "sum over the batch"),
    Claimed(_LAYER, _AT, "dz = 2*(a - t)/6*(1 - a**2); db = dz.mean(0)", "1/3 times"),
    Claimed("softmax(z)", "z=[0.5,1,-1]", "s = softmax(z); dz = dout*s*(1 - s)", "diagonal"),
    Claimed(_ATTENTION, _QKV, "dp = dout @ v.T; ds = p*(dp - sum(dp*p, dim=1, keepdim=True)); dq = ds @ k", "2 times"),
    Claimed("f = x*x*x", "x=2", "x = 2*x**2", "x"),
    Claimed("a = x + 1\nb = x*2\nf = a*b", "x=3", "df/dx = b", "through `b`"),
    Claimed("a = x + 1\nb = x*2\nf = a*b", "x=3", "df/dx = b - 2*a", "the sign of what comes through `x*2`"),
    Claimed("a = x + 1\nb = x*2\nf = a*b", "x=3", "df/dx = b + 4*a", "counted twice"),
    Claimed("z = x @ w\nL = sum(z**2)", "x=[[1,2],[3,4]],w=[1,-1]", "dz = 2*z; dw = x @ dz", "`x` has to be transposed"),
    Claimed("a = tanh(z)\nL = a**2", "z=0.5", "dz = 2*a*(1 - z**2)", "`z` stands where `a` should"),
    Claimed("x**3 + exp(x*y)", "x=0.5,y=2", "x = 3*x**3 + y*exp(x*y)", "x is too much"),
    Claimed("A @ B", "A=[[1,2],[3,4]],B=[[1,-1],[2,0.5]]", "dA = B.T @ dout", "change places"),
]
# fmt: on
